import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { type Pump, startPump } from './pump.ts';

/** How long it rests when nothing was left to do, and how soon it tries again what could not be done. */
const JANITOR = { restMs: 3_600_000, retryMs: 60_000 } as const;

/** Keeps the request log within its bounds, at the start and every hour: all that is due, one small piece after the other. */
export function startJanitor(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly logRetentionDays: number;
}): Pump {
  const { store, clock, log, logRetentionDays } = deps;
  let restsUntilMs = clock.elapsedMs();
  const keep = async () => {
    if (clock.elapsedMs() < restsUntilMs) return;
    const kept = await store.keepLog({ retentionDays: logRetentionDays });
    switch (kept.kind) {
      case 'worked':
        log.info('the request log was kept', { what: kept.what });
        pump.wake();
        return;
      case 'hindered':
        log.info('keeping the request log must wait', { why: kept.why });
        return;
      case 'rested':
        restsUntilMs = clock.elapsedMs() + JANITOR.restMs;
        return;
      default:
        kept satisfies never;
    }
  };
  const pump = startPump({ ...deps, everyMs: JANITOR.retryMs, isNeeded: () => true, act: keep });
  pump.wake();
  return pump;
}
