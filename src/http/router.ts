import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestId } from '../core/ids.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Clock } from '../ports/clock.ts';
import {
  type DoorFault,
  pathOf,
  SHUTTING_DOWN,
  sendFault,
  sendJson,
  sendMethodNotAllowed,
  wantsHtml,
} from './answer.ts';
import type { Doorkeeper } from './authenticate.ts';
import { refuseBody, turnAway } from './body.ts';
import type { GraphiqlPage } from './graphiql.ts';
import type { GraphqlDoor } from './graphql-door.ts';
import type { HealthDoor } from './health.ts';
import type { Hosts } from './hosts.ts';
import type { LoadGate } from './load-gate.ts';
import { METRICS_PATH, type MetricsDoor } from './metrics.ts';
import { FOREIGN_PAGE, isOpeningPage, type Origins } from './origins.ts';
import type { PageDoor } from './page.ts';
import { MODELS_PATH } from './rest/models-door.ts';
import { CHAT_PATH, type RestDoor } from './rest/rest-door.ts';
import { REST_FORM } from './rest/rest-error.ts';
import { GRAPHQL_PATH } from './yoga.ts';

type Route = (request: IncomingMessage, response: ServerResponse, requestId: RequestId) => Promise<void>;

interface RouterDeps {
  readonly gateway: Gateway;
  readonly graphql: GraphqlDoor;
  /** Null: browsers are given no page. */
  readonly graphiql: GraphiqlPage | null;
  readonly page: PageDoor;
  readonly rest: RestDoor;
  readonly health: HealthDoor;
  readonly metrics: MetricsDoor;
  readonly doorkeeper: Doorkeeper;
  readonly origins: Origins;
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly gate: LoadGate;
  readonly isDraining: () => boolean;
}

/** Probes call by an address or a name of their own. */
const PROBE_PATHS: readonly string[] = ['/livez', '/healthz', '/health', '/readyz'];

/** Which path is answered by whom. */
export function makeRouter(deps: RouterDeps): Route {
  const { graphql, graphiql, health, doorkeeper } = deps;
  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ['/', async (request, response) => answerRoot(request, response, deps)],
    [GRAPHQL_PATH, answerGraphql],
    ['/livez', async (request, response) => health.answerLive(request, response)],
    ['/healthz', async (request, response) => health.answerLive(request, response)],
    ['/health', async (request, response) => health.answerLive(request, response)],
    ['/readyz', (request, response) => health.answerReady(request, response)],
    [METRICS_PATH, deps.metrics.answer],
  ]);

  async function answerGraphql(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: RequestId,
  ): Promise<void> {
    if (deps.isDraining()) return refuseBody(request, response, SHUTTING_DOWN, deps);
    if (request.method === 'GET' && wantsHtml(request)) {
      return graphiql === null ? sendFault(response, NO_PAGE) : graphiql.answer(request, response);
    }
    const admission = await doorkeeper.admit(request.headers.authorization);
    if (admission.kind === 'refused') return turnAway(request, response, admission.fault, deps);
    // What a POST wants stands in its body. Only where there is no room for anything it is not read.
    const fault = deps.gate.refuse(request.method === 'GET' ? 'read' : 'act', admission.caller);
    if (fault !== null) return turnAway(request, response, fault, deps);
    return graphql.answer(request, response, { requestId, caller: admission.caller });
  }

  return async (request, response, requestId) => {
    const path = pathOf(request);
    const isRest = deps.rest.isAt(path);
    const fault = PROBE_PATHS.includes(path) ? null : strangerFault(request, deps);
    if (fault !== null) {
      return turnAway(request, response, fault, { clock: deps.clock, form: isRest ? REST_FORM : undefined });
    }
    const isApi = path === GRAPHQL_PATH || isRest;
    if (isApi && deps.origins.greet(request, response)) return;
    if (deps.page.isPart(path)) return deps.page.answer(request, response);
    const route = routes.get(path) ?? (isApi ? deps.rest.answer : answerUnknown);
    return route(request, response, requestId);
  };
}

/** Where nobody shows a key, who asks has to be on this machine, and no page of somebody else's. Null: it may be. */
function strangerFault(
  request: IncomingMessage,
  { hosts, origins, doorkeeper }: Pick<RouterDeps, 'hosts' | 'origins' | 'doorkeeper'>,
): DoorFault | null {
  const fault = hosts.faultOf(request);
  if (fault !== null || !doorkeeper.isOpen) return fault;
  return origins.mayCall(request) || isOpeningPage(request) ? null : FOREIGN_PAGE;
}

/** People are shown the control room, programs are told what is here. */
function answerRoot(
  request: IncomingMessage,
  response: ServerResponse,
  { page, gateway, graphiql, doorkeeper }: Pick<RouterDeps, 'page' | 'gateway' | 'graphiql' | 'doorkeeper'>,
): void {
  response.setHeader('vary', 'accept');
  if (wantsHtml(request)) {
    page.answer(request, response);
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendMethodNotAllowed(response, 'GET, HEAD');
    return;
  }
  sendJson(response, 200, {
    service: 'switchyard',
    // Whoever looks for services with known faults is not helped.
    ...(doorkeeper.isOpen ? { version: gateway.info.version } : {}),
    controlRoom: '/ in a browser',
    graphql: GRAPHQL_PATH,
    ...(graphiql === null ? {} : { graphiql: `${GRAPHQL_PATH} in a browser` }),
    rest: CHAT_PATH,
    models: MODELS_PATH,
    live: '/livez',
    ready: '/readyz?verbose',
    metrics: METRICS_PATH,
  });
}

const NO_PAGE: DoorFault = {
  status: 404,
  code: 'NOT_FOUND',
  message: `Browsers are given no page here. Programs POST to ${GRAPHQL_PATH}; for GraphiQL start the service with GRAPHIQL=on.`,
};

const answerUnknown: Route = async (request, response) => {
  const message = `Nothing is served at ${pathOf(request).slice(0, 100)}. GraphQL is at ${GRAPHQL_PATH}, OpenAI's API at ${CHAT_PATH}.`;
  sendFault(response, { status: 404, code: 'NOT_FOUND', message });
};
