import { NO_STANDING } from '../../core/verdict.ts';
import type { Admission } from '../../ports/admission.ts';
import { type KeptParts, keepSettle } from './keep.ts';

/** When an admission without an answer is taken back for the second time. */
const AGAIN_MS = 2_000;

/** The end of a permit that was never used. */
const GIVEN_BACK = { charge: { kind: 'nothing' }, jitter: 0, ...NO_STANDING } as const;

/** Disposed: nothing is taken back a second time any more. */
export interface TakeBack extends Disposable {
  /**
   * When no answer comes in time, an admission may have been done all the same: then its hold and its probe are given back, on the
   * evidence that nothing was sent. Twice, because it may only be done after the first time.
   */
  start(admission: Admission): void;
}

export function makeTakeBack(parts: KeptParts): TakeBack {
  const timers = new Set<Disposable>();
  return {
    start({ holdId }) {
      const settlement = { ...GIVEN_BACK, holdId };
      void keepSettle(parts, settlement, null).then((settled) => {
        if (settled.kind !== 'unknownHold') return;
        const timer = parts.clock.after(AGAIN_MS, () => {
          timers.delete(timer);
          void keepSettle(parts, settlement, null);
        });
        timers.add(timer);
      });
    },
    [Symbol.dispose]() {
      for (const timer of timers) timer[Symbol.dispose]();
    },
  };
}
