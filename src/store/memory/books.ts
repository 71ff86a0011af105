import { type BooksDifference, differenceOf } from '../../core/books.ts';
import type { AccountKey } from '../../core/ids.ts';
import { addUsd, type PicoUsd, ZERO_USD } from '../../core/money.ts';
import { payersOf } from '../../core/paying.ts';
import { type EpochMs, later } from '../../core/time.ts';
import type { BooksPort } from '../../ports/books.ts';
import type { MemoryState } from './state.ts';

/** Holds against accounts. There is no ledger in memory, so what is posted is taken as it stands. */
export function makeMemoryBooks(state: MemoryState): BooksPort {
  /** Where the round is: a Map's walk also meets what comes after it began. Null between rounds. */
  let walk: MapIterator<AccountKey> | null = null;
  let startedAtMs: EpochMs | null = null;
  const known = new Set<AccountKey>();
  return {
    async checkBooks({ accountsMax, restMs }) {
      const nowMs = state.now();
      const isResting = startedAtMs !== null && nowMs < later(startedAtMs, restMs);
      if (walk === null && isResting) return { kind: 'notDue', differencesKnown: known.size };
      if (walk === null) startedAtMs = nowMs;
      walk ??= state.accounts.keys();
      const held = heldIn(state);
      const differences: BooksDifference[] = [];
      const balancedAgain: AccountKey[] = [];
      let accounts = 0;
      while (accounts < accountsMax && walk !== null) {
        const { value: key, done } = walk.next();
        const account = key === undefined ? undefined : state.accounts.get(key);
        if (done === true || account === undefined) {
          walk = null;
          break;
        }
        accounts += 1;
        const difference = differenceOf(account, { held: held.get(account.key) ?? ZERO_USD, posted: account.posted });
        if (difference !== null) {
          differences.push(difference);
          known.add(account.key);
        } else if (known.delete(account.key)) balancedAgain.push(account.key);
      }
      const isRoundDone = walk === null;
      return { kind: 'checked', accounts, differences, balancedAgain, isRoundDone, differencesKnown: known.size };
    },
  };
}

/** What is held for each account, by its open holds. */
function heldIn(state: MemoryState): ReadonlyMap<AccountKey, PicoUsd> {
  const sums = new Map<AccountKey, PicoUsd>();
  for (const hold of state.holds.values()) {
    if (hold.state !== 'held') continue;
    for (const key of payersOf(hold)) sums.set(key, addUsd(sums.get(key) ?? ZERO_USD, hold.amount));
  }
  return sums;
}
