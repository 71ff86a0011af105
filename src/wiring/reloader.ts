import { isDeepStrictEqual } from 'node:util';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { Configurations } from '../gateway/configuration.ts';
import { type Pump, startPump } from '../gateway/pump.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters, ReloadOutcome } from '../ports/meters.ts';
import { printFault, type Setup, type SetupFault } from './read-setup.ts';
import type { SetupSource } from './setup-source.ts';

/** How soon a configuration that could not be taken over is read and tried again. */
const RETRY_MS = 2_000;

const FAULTS_TOLD_MAX = 100;

/** Reads what is set again and puts it in force. Disposing of it waits for a reading that is under way, of which nothing comes. */
export interface Reloader extends AsyncDisposable {
  /** Reads soon. Readings come one after the other; what is asked for while one goes on is read once more. */
  reload(): void;
}

interface ReloaderParts {
  readonly source: Pick<SetupSource, 'read'>;
  /** What is in force at the start. */
  readonly setup: ReloadedSetup;
  /** Puts another one in force, whole. When it throws, nothing has changed here. */
  readonly adopt: (setup: Setup) => Promise<void>;
  readonly configurations: Pick<Configurations, 'now' | 'fault' | 'noteFault'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: Pick<Meters, 'configReloads' | 'configStale'>;
}

/** What can change while the service runs. */
export type ReloadedSetup = Pick<Setup, 'registry' | 'endpoints' | 'persisted'>;

export function startReloader(parts: ReloaderParts): Reloader {
  const { source, configurations, clock, log, meters } = parts;
  let inForce = parts.setup;
  /** A right configuration waits to be taken over. */
  let isDeferred = false;
  let isEnded = false;
  let waitingTold = '';

  const end = (outcome: ReloadOutcome, fault: string | null) => {
    isDeferred = outcome === 'deferred';
    meters.configReloads.count(outcome);
    meters.configStale.set(fault === null ? 0 : 1);
    configurations.noteFault(fault);
  };
  const refuse = (faults: readonly SetupFault[]) => {
    const told = tellFaults(faults);
    log.error('the configuration has faults: the one before stays in force', { faults: told, count: faults.length });
    end('refused', `it has faults, and the one before stays in force: ${told}`);
  };
  const takeOver = async (setup: Setup) => {
    if (isSame(setup, inForce)) {
      if (configurations.fault() === null) log.debug('the configuration was read again: nothing has changed');
      else log.info('the configuration is whole again: what is written is in force', hashNow(configurations));
      end('unchanged', null);
      return;
    }
    try {
      await parts.adopt(setup);
    } catch (error) {
      const reason = error instanceof StoreUnavailable ? error.reason : String(error);
      if (!isDeferred)
        log.warn('the configuration cannot be taken over yet: the one before stays in force', { reason });
      end('deferred', `it cannot be taken over yet, and is tried again every ${RETRY_MS / 1000} s: ${reason}`);
      return;
    }
    log.info('the configuration was taken over', { ...hashNow(configurations), ...differences(inForce, setup) });
    inForce = setup;
    end('applied', null);
  };
  const tellWaiting = (names: readonly string[]) => {
    const told = names.join(', ');
    if (told !== '' && told !== waitingTold) {
      log.warn('these settings were changed in .env: they take force at the next start', { settings: told });
    }
    waitingTold = told;
  };
  const act = async () => {
    const { result, waiting } = await source.read();
    if (isEnded) return;
    tellWaiting(waiting);
    if (result.kind === 'valid') await takeOver(result.setup);
    else refuse(result.faults);
  };
  const pump: Pump = startPump({ clock, log, everyMs: RETRY_MS, isNeeded: () => isDeferred, act });
  meters.configStale.set(0);
  return {
    reload: pump.wake,
    async [Symbol.asyncDispose]() {
      isEnded = true;
      await pump[Symbol.asyncDispose]();
    },
  };
}

function hashNow({ now }: Pick<Configurations, 'now'>) {
  const { configHash, registry } = now();
  return { configHash, priceListVersion: registry.priceListVersion };
}

function tellFaults(faults: readonly SetupFault[]): string {
  const told = faults.slice(0, FAULTS_TOLD_MAX).map(printFault);
  const more = faults.length - told.length;
  return [...told, ...(more === 0 ? [] : [`and ${more} more`])].join('; ');
}

/** Secrets are compared too: a key that was replaced is a change. */
function isSame(one: ReloadedSetup, other: ReloadedSetup): boolean {
  return (
    isDeepStrictEqual(one.registry, other.registry) &&
    isDeepStrictEqual(one.endpoints, other.endpoints) &&
    isDeepStrictEqual(one.persisted, other.persisted)
  );
}

/** What changed for people: which providers came, went, or are now called otherwise. */
function differences(before: ReloadedSetup, after: ReloadedSetup) {
  const endpointsOf = ({ endpoints }: ReloadedSetup) => new Map(endpoints.map((endpoint) => [endpoint.key, endpoint]));
  const [old, young] = [endpointsOf(before), endpointsOf(after)];
  const both = [...young].flatMap(([key, now]) => {
    const then = old.get(key);
    return then === undefined ? [] : [{ key, now, then }];
  });
  return {
    added: [...young.keys()].filter((key) => !old.has(key)).join(', '),
    removed: [...old.keys()].filter((key) => !young.has(key)).join(', '),
    nowReal: named(both.filter(({ now, then }) => now.kind === 'real' && then.kind === 'mock')),
    nowMock: named(both.filter(({ now, then }) => now.kind === 'mock' && then.kind === 'real')),
    reconnected: named(both.filter(({ now, then }) => now.kind === then.kind && !isDeepStrictEqual(now, then))),
  };
}

function named(providers: readonly { readonly key: string }[]): string {
  return providers.map(({ key }) => key).join(', ');
}
