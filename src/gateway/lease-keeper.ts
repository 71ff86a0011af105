import type { HoldId } from '../core/ids.ts';
import { LEASE } from '../core/leases.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { startPump } from './pump.ts';

/** Lets the holds of attempts that take long live on, all of them in one act. */
export interface LeaseKeeper extends AsyncDisposable {
  /** From now on the hold is renewed, until the handle is disposed or `attemptMs` have passed: what overstays its time may expire. */
  keep(hold: HoldId, attemptMs: number): Disposable;
}

export function startLeaseKeeper(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): LeaseKeeper {
  const { clock } = deps;
  /** By hold, until when it is renewed. */
  const holds = new Map<HoldId, number>();
  const renew = async () => {
    const nowMs = clock.elapsedMs();
    const due = [...holds].filter(([, untilMs]) => nowMs < untilMs).map(([hold]) => hold);
    // Most attempts end long before their first lease does: without any under way it costs nothing.
    if (due.length > 0) await deps.store.renew(due);
  };
  const pump = startPump({
    ...deps,
    everyMs: LEASE.renewEveryMs,
    isNeeded: () => true,
    act: renew,
  });
  pump.wake();
  return {
    keep(hold, attemptMs) {
      holds.set(hold, clock.elapsedMs() + attemptMs);
      return { [Symbol.dispose]: () => holds.delete(hold) };
    },
    [Symbol.asyncDispose]: () => pump[Symbol.asyncDispose](),
  };
}
