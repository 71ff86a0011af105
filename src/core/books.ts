import type { Account } from './account.ts';
import type { AccountKey } from './ids.ts';
import type { PicoUsd } from './money.ts';

/** An account whose books do not balance: what its row keeps, beside what it must be the sum of. */
export interface BooksDifference {
  readonly account: AccountKey;
  readonly held: PicoUsd;
  /** Of its open holds. */
  readonly heldSum: PicoUsd;
  readonly posted: PicoUsd;
  /** Of its ledger entries. */
  readonly postedSum: PicoUsd;
}

/** Null when the books of the account balance. */
export function differenceOf(
  account: Account,
  sums: { readonly held: PicoUsd; readonly posted: PicoUsd },
): BooksDifference | null {
  const { key, held, posted } = account;
  if (held === sums.held && posted === sums.posted) return null;
  return { account: key, held, heldSum: sums.held, posted, postedSum: sums.posted };
}
