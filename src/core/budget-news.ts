import { type Account, capOf } from './account.ts';
import type { PicoUsd } from './money.ts';

const THRESHOLDS = ['reachedHalf', 'reachedFourFifths', 'exhausted'] as const;

type Threshold = (typeof THRESHOLDS)[number];

/** How much of the limit is spent, all three alike: an alarm is not for money that is held, and comes back when a request ends. */
const PERCENT: Readonly<Record<Threshold, bigint>> = { reachedHalf: 50n, reachedFourFifths: 80n, exhausted: 100n };

/** What can happen to a budget between two looks at it. */
export type BudgetNews = 'changed' | 'reset' | Threshold;

/** What somebody who watches a budget was told of it. */
export interface BudgetSight {
  readonly account: Account;
  /** Not told again before a new period, or a limit of which less is spent. */
  readonly told: readonly Threshold[];
}

/** Whoever is shown the present state needs not be told what it shows. */
export function sightOf(account: Account, defaultCap: PicoUsd): BudgetSight {
  return { account, told: reachedBy(account, defaultCap) };
}

/** Nothing was told of it yet. */
export function unseen(account: Account): BudgetSight {
  return { account, told: [] };
}

/**
 * What has happened since, in the order in which it is told: what an operator did, a new period, then the thresholds from the lowest
 * on. It needs no more than two looks, in the order of the account's changes: whatever lay between them is told as well, but for what
 * did not last.
 */
export function newsSince(
  seen: BudgetSight,
  account: Account,
  defaultCap: PicoUsd,
): { readonly news: readonly BudgetNews[]; readonly sight: BudgetSight } {
  const before = seen.account;
  const isChanged = before.period !== account.period || capOf(before, defaultCap) !== capOf(account, defaultCap);
  const isReset = isNewPeriod(before, account);
  const reached = reachedBy(account, defaultCap);
  const told = isReset ? [] : seen.told.filter((threshold) => !isChanged || reached.includes(threshold));
  const fresh = reached.filter((threshold) => !told.includes(threshold));
  return {
    news: [...(isChanged ? (['changed'] as const) : []), ...(isReset ? (['reset'] as const) : []), ...fresh],
    sight: { account, told: [...told, ...fresh] },
  };
}

/**
 * Whether spending began again from zero. The start of a period says so, but for two: that of an account which nobody ever used is
 * the moment in which it is looked at, and an operator who chooses another period moves it without forgiving anything.
 */
function isNewPeriod(before: Account, after: Account): boolean {
  if (after.periodStartedAtMs <= before.periodStartedAtMs) return false;
  if (after.period !== before.period) return after.posted < before.posted;
  return after.period !== 'total' || before.posted > 0n;
}

function reachedBy(account: Account, defaultCap: PicoUsd): readonly Threshold[] {
  const cap = capOf(account, defaultCap);
  if (cap === null) return [];
  return THRESHOLDS.filter((threshold) => account.posted * 100n >= cap * PERCENT[threshold]);
}
