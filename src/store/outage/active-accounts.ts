import type { AccountKey } from '../../core/ids.ts';
import type { PicoUsd } from '../../core/money.ts';
import { SLICE } from '../../core/slices.ts';
import type { Clock } from '../../ports/clock.ts';

/** An account that spends on this replica. */
export interface Spender {
  readonly account: AccountKey;
  /** Null: no cap, unless it has one of its own. */
  readonly defaultCap: PicoUsd | null;
}

/** Who was admitted on this replica lately: for them money is reserved. */
export interface ActiveAccounts {
  note(spender: Spender): void;
  has(account: AccountKey): boolean;
  /** For whom to ask a slice now. Who gets none is named again at the next renewal. */
  take(isServed: (account: AccountKey) => boolean): readonly Spender[];
  /** A slice was taken for it: when that is gone, another may be asked for at once. */
  noteTaken(account: AccountKey): void;
}

export function makeActiveAccounts(clock: Pick<Clock, 'elapsedMs'>): ActiveAccounts {
  /** Who was admitted last stands last. `askedMs` is null before a slice was asked for. */
  const known = new Map<AccountKey, Spender & { readonly seenMs: number; readonly askedMs: number | null }>();
  const forgetIdle = () => {
    for (const [account, { seenMs }] of known) {
      if (clock.elapsedMs() - seenMs <= SLICE.activeMs) return;
      known.delete(account);
    }
  };
  return {
    note({ account, defaultCap }) {
      const askedMs = known.get(account)?.askedMs ?? null;
      known.delete(account);
      known.set(account, { account, defaultCap, seenMs: clock.elapsedMs(), askedMs });
      const [oldest] = known.keys();
      if (known.size > SLICE.accountsMax && oldest !== undefined) known.delete(oldest);
    },
    has(account) {
      forgetIdle();
      return known.has(account);
    },
    take(isServed) {
      forgetIdle();
      const nowMs = clock.elapsedMs();
      const due = [...known.values()].filter(
        ({ account, askedMs }) => !isServed(account) && (askedMs === null || nowMs - askedMs >= SLICE.renewEveryMs),
      );
      for (const spender of due) known.set(spender.account, { ...spender, askedMs: nowMs });
      return due.map(({ account, defaultCap }) => ({ account, defaultCap }));
    },
    noteTaken(account) {
      const spender = known.get(account);
      if (spender !== undefined) known.set(account, { ...spender, askedMs: null });
    },
  };
}
