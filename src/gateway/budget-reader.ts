import { sightOf } from '../core/budget-news.ts';
import type { AccountKey } from '../core/ids.ts';
import { PAGE_LIMITS } from '../core/page.ts';
import type { EpochMs } from '../core/time.ts';
import type { BudgetAudience, BudgetWatcher, Sighting } from './budget-audience.ts';
import type { GatewayNeeds } from './deps.ts';
import { makeFollowedAccounts } from './followed-accounts.ts';

/** `wholeMs`: everything that is followed is read together with what was heard, if the last time is so long ago. `fullestMs`: who the fullest are is asked so often, since that reads all accounts there are. */
const READER = { wholeMs: 500, fullestMs: 5_000 } as const;

/** One who waits for the present states. */
export interface Newcomer {
  readonly watcher: BudgetWatcher;
  readonly signal: AbortSignal;
  readonly present: PromiseWithResolvers<readonly Sighting[]>;
}

/** Reads the accounts that somebody watches, and puts what is new before those who do. Never twice at once. */
export interface BudgetReader {
  /** `noted`: accounts of which something was heard, and whether a request of theirs was refused. Those who arrived are told of what comes later. */
  read(arrived: readonly Newcomer[], noted: ReadonlyMap<AccountKey, boolean>): Promise<void>;
}

export function makeBudgetReader(
  { store, clock, budgetDefault }: Pick<GatewayNeeds, 'store' | 'clock' | 'budgetDefault'>,
  audience: BudgetAudience,
): BudgetReader {
  const followed = makeFollowedAccounts(budgetDefault);
  let wholeAtMs = -Infinity;
  let fullestAtMs = -Infinity;

  const followFullest = async () => {
    const page = { size: PAGE_LIMITS.sizeMax, direction: 'forward', cursor: null } as const;
    const answer = await store.accounts({ page, defaultCap: budgetDefault, status: [] });
    if (answer.kind === 'page') for (const { item } of answer.page.items) followed.follow(item.key);
  };
  const followWhoIsWanted = async (arrived: readonly Newcomer[], noted: Iterable<AccountKey>) => {
    const isNewForAll = arrived.some(({ watcher }) => watcher.scope.kind === 'everybody');
    if (!isNewForAll && !audience.isForAll()) return followed.followNobody();
    const nowMs = clock.elapsedMs();
    if (isNewForAll || nowMs - fullestAtMs >= READER.fullestMs) {
      await followFullest();
      fullestAtMs = nowMs;
    }
    for (const account of noted) followed.follow(account);
    // Whoever comes is shown all of them, as they are now.
    if (isNewForAll) wholeAtMs = -Infinity;
  };
  const put = (sighting: Sighting) => {
    const { account, isRefused } = sighting;
    if (!followed.see(account) && !isRefused) return;
    for (const { box } of audience.of(account.key)) box.put(account.key, sighting);
  };
  const welcome = ({ watcher, signal, present }: Newcomer, atMs: EpochMs) => {
    if (signal.aborted) return;
    const { scope, sights } = watcher;
    const accounts = scope.kind === 'everybody' ? followed.fullestFirst() : [followed.find(scope.account) ?? []].flat();
    for (const account of accounts) sights.set(account.key, sightOf(account, budgetDefault));
    audience.add(watcher);
    present.resolve(accounts.map((account) => ({ account, atMs, isRefused: false })));
  };

  return {
    async read(arrived, noted) {
      await followWhoIsWanted(arrived, noted.keys());
      const nowMs = clock.elapsedMs();
      const isWhole = nowMs - wholeAtMs >= READER.wholeMs;
      const isFollowed = (account: AccountKey) => followed.has(account) || audience.isNamed(account);
      const keys = isWhole ? [...audience.named(), ...followed.keys()] : [...noted.keys()].filter(isFollowed);
      const newlyNamed = arrived.flatMap(({ watcher: { scope } }) => (scope.kind === 'one' ? [scope.account] : []));
      const accounts = await store.accountsOf([...new Set([...keys, ...newlyNamed])]);
      const atMs = clock.now();
      for (const account of accounts) put({ account, atMs, isRefused: noted.get(account.key) === true });
      for (const newcomer of arrived) welcome(newcomer, atMs);
      if (!isWhole) return;
      followed.forgetAllBut(new Set(audience.named()));
      wholeAtMs = nowMs;
    },
  };
}
