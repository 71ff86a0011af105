import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { Store } from '../ports/store.ts';
import { type Pump, startPump } from './pump.ts';

/** How often due holds are looked for, and how many are ended in one act. */
const REAPER = { everyMs: 5_000, batchMax: 200 } as const;

/** Ends holds that nobody settled in time: posted in full, never given back, because the money may have been billed. */
export function startReaper(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: Meters;
}): Pump {
  const { store, log } = deps;
  const reap = async () => {
    const expired = await store.reap(REAPER.batchMax);
    deps.meters.holdsExpired.add(expired.length);
    for (const hold of expired) {
      log.warn('a hold expired and was posted in full', {
        holdId: hold.holdId,
        requestId: `req_${hold.requestId}`,
        amount: hold.amount.toString(),
      });
    }
    if (expired.length === REAPER.batchMax) pump.wake();
  };
  const pump = startPump({ ...deps, everyMs: REAPER.everyMs, isNeeded: () => true, act: reap });
  pump.wake();
  return pump;
}
