import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeFleet, isAgreed, replicasOf } from '../core/fleet.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { sendJson, sendMethodNotAllowed } from './answer.ts';
import type { Doorkeeper } from './authenticate.ts';
import type { Hosts } from './hosts.ts';

/** Whether the service can do its work, and what was looked at. */
export interface Readiness {
  readonly isReady: boolean;
  readonly checks: readonly Check[];
}

/** One thing that was looked at. What is not well makes nothing unready by itself: `isReady` decides. */
export interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
  /** What an operator should know of it although it is well. Absent: nothing. */
  readonly note?: string;
}

/** `/livez` says that the process runs, `/readyz` that it can take requests. */
export interface HealthDoor {
  answerLive(request: IncomingMessage, response: ServerResponse): void;
  answerReady(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function makeHealthDoor(deps: {
  readonly gateway: Gateway;
  readonly readiness: () => Promise<Readiness>;
  readonly isLeaving: () => boolean;
  readonly doorkeeper: Doorkeeper;
  readonly hosts: Hosts;
}): HealthDoor {
  return {
    answerLive(request, response) {
      if (isRead(request, response)) sendJson(response, 200, { status: 'live' });
    },
    async answerReady(request, response) {
      if (!isRead(request, response)) return;
      const isOperator =
        deps.hosts.faultOf(request) === null && (await deps.doorkeeper.may(request.headers.authorization, 'admin'));
      const { isReady, checks } = await look(deps);
      // Details may name hosts and paths: they are for the operator.
      const failing = checks
        .filter((check) => !check.isOk)
        .map(({ name, detail }) => (isOperator ? `${name}: ${detail}` : name));
      sendJson(response, isReady ? 200 : 503, {
        status: isReady ? 'ready' : 'not ready',
        ...(failing.length > 0 ? { reasons: failing } : {}),
        ...(isOperator && isVerbose(request)
          ? { ...modeOf(deps.gateway), version: deps.gateway.info.version, checks }
          : {}),
      });
    },
  };
}

function modeOf({ info, storeMode }: Gateway) {
  return { store: info.storeKind, storeMode: storeMode().kind };
}

async function look(deps: {
  readonly gateway: Gateway;
  readonly readiness: () => Promise<Readiness>;
  readonly isLeaving: () => boolean;
}): Promise<Readiness> {
  if (deps.isLeaving()) {
    return { isReady: false, checks: [{ name: 'service', isOk: false, detail: 'it is shutting down' }] };
  }
  try {
    const { isReady, checks } = await deps.readiness();
    return { isReady, checks: [...checks, configurationCheck(deps.gateway), fleetCheck(deps.gateway)] };
  } catch (error) {
    // A check that breaks is a check that failed: whoever asks must get an answer.
    return { isReady: false, checks: [{ name: 'readiness', isOk: false, detail: String(error) }] };
  }
}

/** Replicas that disagree go on working, each by its own configuration: worth a note, no reason to take one out. */
function fleetCheck(gateway: Gateway): Check {
  const fleet = gateway.fleet();
  const count = replicasOf(fleet);
  const check = { name: 'fleet', isOk: true, detail: count === 1 ? '1 replica' : `${count} replicas` };
  if (isAgreed(fleet)) return check;
  const note = `replicas have different configurations: ${describeFleet(fleet)}; this one has ${gateway.info.configHash}`;
  return { ...check, note };
}

/** One that is wrong changes nothing, and the one in force serves on. */
function configurationCheck({ info, configFault }: Gateway): Check {
  const check = { name: 'configuration', isOk: true, detail: info.configHash };
  const fault = configFault();
  return fault === null ? check : { ...check, note: `what was written last is not in force: ${fault}` };
}

function isRead(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  sendMethodNotAllowed(response, 'GET, HEAD');
  return false;
}

function isVerbose(request: IncomingMessage): boolean {
  return new URLSearchParams(request.url?.split('?')[1] ?? '').has('verbose');
}
