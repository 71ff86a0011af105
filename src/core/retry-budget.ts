/** Tokens of a full budget, how many successes it takes to earn one more, and how long it takes without any, in ms. */
export const RETRY_BUDGET = { tokensMax: 10, successesPerToken: 10, msPerToken: 60_000 } as const;

/**
 * How often one provider may still be asked as somebody's second or later choice. An attempt that is no request's first takes a
 * whole token. It loses the token by failing; a success brings it back with a tenth of another one, as every success does. Time
 * earns too: otherwise a provider that is never anybody's first choice would stay out of use for ever once its tokens are gone.
 */
export interface RetryBudget {
  /** Tokens, each as many parts as it takes milliseconds to earn: a whole number, so that nothing is ever rounded. */
  readonly parts: number;
}

const PARTS_PER_TOKEN = RETRY_BUDGET.msPerToken;
const PARTS_PER_SUCCESS = PARTS_PER_TOKEN / RETRY_BUDGET.successesPerToken;
const PARTS_MAX = RETRY_BUDGET.tokensMax * PARTS_PER_TOKEN;

export const FULL_RETRY_BUDGET: RetryBudget = { parts: PARTS_MAX };

export function hasToken(budget: RetryBudget): boolean {
  return budget.parts >= PARTS_PER_TOKEN;
}

/** Takes a token that is there. */
export function withoutToken(budget: RetryBudget): RetryBudget {
  if (!hasToken(budget)) throw new RangeError(`no whole token is left in ${budget.parts} of ${PARTS_PER_TOKEN} parts`);
  return { parts: budget.parts - PARTS_PER_TOKEN };
}

/** Brings back a token that was taken. */
export function withToken(budget: RetryBudget): RetryBudget {
  return withParts(budget, PARTS_PER_TOKEN);
}

/** Adds what one success earns. */
export function withSuccess(budget: RetryBudget): RetryBudget {
  return withParts(budget, PARTS_PER_SUCCESS);
}

/** Adds what whole milliseconds earn. */
export function withTime(budget: RetryBudget, ms: number): RetryBudget {
  return withParts(budget, ms);
}

function withParts(budget: RetryBudget, parts: number): RetryBudget {
  return { parts: Math.min(PARTS_MAX, budget.parts + parts) };
}
