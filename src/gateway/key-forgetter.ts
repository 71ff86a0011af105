import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { type Pump, startPump } from './pump.ts';

/** How often expired idempotency keys are looked for, and how many are deleted in one act. */
const FORGETTER = { everyMs: 60_000, batchMax: 500 } as const;

/** Deletes idempotency keys that have expired, and with them the answers kept under them. */
export function startKeyForgetter(deps: { readonly store: Store; readonly clock: Clock; readonly log: Log }): Pump {
  const forget = async () => {
    const count = await deps.store.forgetKeys(FORGETTER.batchMax);
    if (count === FORGETTER.batchMax) pump.wake();
  };
  const pump = startPump({ ...deps, everyMs: FORGETTER.everyMs, isNeeded: () => true, act: forget });
  pump.wake();
  return pump;
}
