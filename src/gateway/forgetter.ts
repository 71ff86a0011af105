import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { type Pump, startPump } from './pump.ts';

/** How often it looks for what has expired, and how much is deleted in one act. */
const FORGETTER = { everyMs: 60_000, batchMax: 500 } as const;

/** Deletes what is kept for a time and has expired, at the start and every minute. `forget` deletes at most so many, and answers how many. */
export function startForgetter(
  deps: { readonly clock: Clock; readonly log: Log },
  forget: (countMax: number) => Promise<number>,
): Pump {
  const act = async () => {
    const count = await forget(FORGETTER.batchMax);
    if (count === FORGETTER.batchMax) pump.wake();
  };
  const pump = startPump({ ...deps, everyMs: FORGETTER.everyMs, isNeeded: () => true, act });
  pump.wake();
  return pump;
}
