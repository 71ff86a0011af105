import { type Account, availableOf } from './account.ts';
import { type AccountKey, holderOf } from './ids.ts';
import { formatUsd, minUsd, type PicoUsd, picoUsd } from './money.ts';

/** Whose money one attempt spends: each pays the whole of it, or nobody does. */
export interface Payers {
  /** Pays under its own cap, or the default cap. */
  readonly account: AccountKey;
  /** Pay the same once more, each under its own cap, if it has one: the key's account, and the team's. */
  readonly also: readonly AccountKey[];
}

/** The accounts of payers, at one moment. */
export interface Paying {
  readonly account: Account;
  /** In the order of the payers. */
  readonly also: readonly Account[];
}

/** Most accounts that pay along. The check of the books reads as many places of a hold (drizzle/0008). */
export const ALSO_MAX = 2;

/** Everybody who pays, the payer first. Throws when somebody would pay twice, or too many would. */
export function payersOf({ account, also }: Payers): readonly AccountKey[] {
  const keys = [account, ...also];
  if (also.length > ALSO_MAX) throw new RangeError(`at most ${ALSO_MAX} accounts pay along, got ${also.length}`);
  if (new Set(keys).size < keys.length) throw new RangeError(`an account would pay twice: ${keys.join(', ')}`);
  return keys;
}

/** What one account under a cap has left. */
export interface Purse {
  readonly account: Account;
  readonly available: PicoUsd;
}

/** What those who pay have left: a purse for each that has a cap, the payer's first. Empty: nobody has a cap. */
export type Means = readonly Purse[];

/** `defaultCap` is the payer's, while it has no cap of its own. Null: no cap. */
export function meansOf({ account, also }: Paying, defaultCap: PicoUsd | null): Means {
  return [purseOf(account, defaultCap), ...also.map((other) => purseOf(other, null))].flat();
}

function purseOf(account: Account, defaultCap: PicoUsd | null): Means {
  const available = availableOf(account, defaultCap);
  return available === null ? [] : [{ account, available }];
}

/** The most that all can pay. Null: no cap. */
export function affordableBy(means: Means): PicoUsd | null {
  return means.length === 0 ? null : means.map(({ available }) => available).reduce(minUsd);
}

/**
 * The account that cannot pay so much. Null when all can. Of several the one that will have least when nothing is held any more:
 * what is held comes back, so it is the one that waiting helps least.
 */
export function stopperOf(means: Means, required: PicoUsd): Purse | null {
  const poor = means.filter(({ available }) => available < required);
  return poor.toSorted((one, other) => (unspentIn(one) < unspentIn(other) ? -1 : 1))[0] ?? null;
}

/** The account that has least left. Null: nobody has a cap. */
export function tightestOf(means: Means): Purse | null {
  return means.toSorted((one, other) => (one.available < other.available ? -1 : 1))[0] ?? null;
}

/** What is left of an account's cap, counting what is held as left. */
export function unspentIn({ account, available }: Purse): PicoUsd {
  return picoUsd(available + account.held);
}

/** Which of the budgets that a caller spends an account is, for people. Without a word it is the user's. */
export function budgetWordsOf(account: AccountKey): string {
  const level = holderOf(account)?.level ?? 'user';
  return level === 'user' ? 'budget' : `budget of the ${level}`;
}

/** Who has spent four fifths of a budget and more, and not all: a warning for each. What is held may come back, and does not count. */
export function spendingWarnings(means: Means): readonly string[] {
  return means.flatMap((purse) => {
    const { key, posted } = purse.account;
    const left = unspentIn(purse);
    const cap = posted + left;
    if (left <= 0n || posted * 5n < cap * 4n) return [];
    return [`the ${budgetWordsOf(key)} is nearly spent: ${formatUsd(left)} of ${formatUsd(picoUsd(cap))} USD is left`];
  });
}
