import type { PicoUsd } from '../../core/money.ts';
import type { Payers } from '../../core/paying.ts';
import { SLICE } from '../../core/slices.ts';
import type { Clock } from '../../ports/clock.ts';

/** Accounts that spend together on this replica. */
export interface Spender extends Payers {
  /** The payer's, unless it has a cap of its own. Null: no cap. */
  readonly defaultCap: PicoUsd | null;
}

/** The name of a spender, or of those whose money a slice is: the same for the same payers. */
export function spenderNameOf({ account, also }: Payers): string {
  return JSON.stringify([account, ...also]);
}

/** Who was admitted on this replica lately: for them money is reserved. */
export interface ActiveAccounts {
  note(spender: Spender): void;
  has(spender: string): boolean;
  /** For whom to ask a slice now: a round's worth, who waits longest first. Who gets none is named again at the next renewal. */
  take(isServed: (spender: string) => boolean): readonly Spender[];
  /** A slice was taken for it: when that is gone, another may be asked for at once. */
  noteTaken(spender: string): void;
}

/** Stands before every instant of the monotonic clock. */
const NEVER_MS = -1;

export function makeActiveAccounts(clock: Pick<Clock, 'elapsedMs'>): ActiveAccounts {
  /** Who was admitted last stands last. `askedMs` is null before a slice was asked for. */
  const known = new Map<string, Spender & { readonly seenMs: number; readonly askedMs: number | null }>();
  const forgetIdle = () => {
    for (const [name, { seenMs }] of known) {
      if (clock.elapsedMs() - seenMs <= SLICE.activeMs) return;
      known.delete(name);
    }
  };
  return {
    note({ account, also, defaultCap }) {
      const name = spenderNameOf({ account, also });
      const askedMs = known.get(name)?.askedMs ?? null;
      known.delete(name);
      known.set(name, { account, also, defaultCap, seenMs: clock.elapsedMs(), askedMs });
      const [oldest] = known.keys();
      if (known.size > SLICE.accountsMax && oldest !== undefined) known.delete(oldest);
    },
    has(name) {
      forgetIdle();
      return known.has(name);
    },
    take(isServed) {
      forgetIdle();
      const nowMs = clock.elapsedMs();
      const due = [...known]
        .filter(([name, { askedMs }]) => !isServed(name) && (askedMs === null || nowMs - askedMs >= SLICE.renewEveryMs))
        .sort(([, one], [, other]) => (one.askedMs ?? NEVER_MS) - (other.askedMs ?? NEVER_MS))
        .slice(0, SLICE.takenAtOnceMax);
      for (const [name, spender] of due) known.set(name, { ...spender, askedMs: nowMs });
      return due.map(([, { account, also, defaultCap }]) => ({ account, also, defaultCap }));
    },
    noteTaken(name) {
      const spender = known.get(name);
      if (spender !== undefined) known.set(name, { ...spender, askedMs: null });
    },
  };
}
