import type { Account } from '../core/account.ts';
import type { BudgetSight } from '../core/budget-news.ts';
import type { AccountKey } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { BudgetScope } from './caller.ts';
import type { NewestBox } from './newest-box.ts';

/** What was seen of an account. */
export interface Sighting {
  readonly account: Account;
  readonly atMs: EpochMs;
  /** Requests were refused for want of money since the sighting before. */
  readonly isRefused: boolean;
}

export interface BudgetWatcher {
  readonly scope: BudgetScope;
  /** What it has still to be told of. */
  readonly box: NewestBox<AccountKey, Sighting>;
  /** What it was told of. */
  readonly sights: Map<AccountKey, BudgetSight>;
}

/** Who watches which account. */
export interface BudgetAudience {
  add(watcher: BudgetWatcher): void;
  delete(watcher: BudgetWatcher): void;
  /** Those who are told of an account. */
  of(account: AccountKey): Iterable<BudgetWatcher>;
  all(): Iterable<BudgetWatcher>;
  /** Accounts that somebody watches by name. */
  named(): Iterable<AccountKey>;
  isNamed(account: AccountKey): boolean;
  /** Whether somebody watches everybody. */
  isForAll(): boolean;
  isEmpty(): boolean;
}

export function makeBudgetAudience(): BudgetAudience {
  const byName = new Map<AccountKey, Set<BudgetWatcher>>();
  const forAll = new Set<BudgetWatcher>();
  return {
    add(watcher) {
      const { scope } = watcher;
      if (scope.kind === 'everybody') forAll.add(watcher);
      else byName.set(scope.account, (byName.get(scope.account) ?? new Set()).add(watcher));
    },
    delete(watcher) {
      const { scope } = watcher;
      if (scope.kind === 'everybody') {
        forAll.delete(watcher);
        return;
      }
      byName.get(scope.account)?.delete(watcher);
      if (byName.get(scope.account)?.size === 0) byName.delete(scope.account);
    },
    of: (account) => [...(byName.get(account) ?? []), ...forAll],
    all: () => [...forAll, ...Array.from(byName.values(), (watchers) => [...watchers]).flat()],
    named: () => byName.keys(),
    isNamed: (account) => byName.has(account),
    isForAll: () => forAll.size > 0,
    isEmpty: () => forAll.size === 0 && byName.size === 0,
  };
}
