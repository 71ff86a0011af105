import { approximateUsd, type PicoUsd } from '../core/money.ts';
import type { Meters } from '../ports/meters.ts';

/** What this replica holds at the moment, for the meter alone: the accounts know it exactly. */
export interface HeldBook {
  /** Counts until it is disposed of. */
  take(amount: PicoUsd): Disposable;
}

export function makeHeldBook(meters: Pick<Meters, 'budgetReserved'>): HeldBook {
  let held = 0n;
  const tell = () => meters.budgetReserved.set(approximateUsd(held));
  return {
    take(amount) {
      held += amount;
      tell();
      return {
        [Symbol.dispose]() {
          held -= amount;
          tell();
        },
      };
    },
  };
}
