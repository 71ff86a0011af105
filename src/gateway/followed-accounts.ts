import { type Account, isSameAccount } from '../core/account.ts';
import { budgetPositionOf, compareFullness } from '../core/budget-order.ts';
import { type AccountKey, holderOf } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';

/** How many accounts are followed for those who watch everybody: the fullest. */
const ACCOUNTS_MAX = 1_000;

/** What was read last of the accounts that are followed, to know what is new. */
export interface FollowedAccounts {
  /** For those who watch everybody. The anonymous account has no budget. */
  follow(account: AccountKey): void;
  /** Nobody watches everybody any more. */
  followNobody(): void;
  /** Accounts that are followed for everybody. */
  keys(): Iterable<AccountKey>;
  has(account: AccountKey): boolean;
  /** Takes what was read. True: it is not as it was, or nobody had looked before. */
  see(account: Account): boolean;
  /** As it was read last. */
  find(account: AccountKey): Account | undefined;
  /** What is followed for everybody, fullest first. */
  fullestFirst(): readonly Account[];
  /** Forgets the least full above the limit, and what was read of others than these. */
  forgetAllBut(named: ReadonlySet<AccountKey>): void;
}

export function makeFollowedAccounts(defaultCap: PicoUsd): FollowedAccounts {
  const crowd = new Set<AccountKey>();
  const seen = new Map<AccountKey, Account>();
  const positionOf = (account: Account) => budgetPositionOf(account, defaultCap);
  const fullestFirst = () =>
    Array.from(crowd, (key) => seen.get(key) ?? [])
      .flat()
      .toSorted((first, second) => compareFullness(positionOf(first), positionOf(second)));
  return {
    follow(account) {
      if (crowd.has(account) || crowd.size >= 2 * ACCOUNTS_MAX || holderOf(account) === null) return;
      crowd.add(account);
    },
    followNobody() {
      crowd.clear();
    },
    keys: () => crowd.values(),
    has: (account) => crowd.has(account),
    see(account) {
      const before = seen.get(account.key);
      seen.set(account.key, account);
      return before === undefined || !isSameAccount(before, account);
    },
    find: (account) => seen.get(account),
    fullestFirst,
    forgetAllBut(named) {
      for (const { key } of fullestFirst().slice(ACCOUNTS_MAX)) crowd.delete(key);
      for (const key of seen.keys()) if (!crowd.has(key) && !named.has(key)) seen.delete(key);
    },
  };
}
