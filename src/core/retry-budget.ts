/** Tokens of a full budget, and how many successes it takes to earn one more. */
export const RETRY_BUDGET = { tokensMax: 10, successesPerToken: 10 } as const;

/**
 * How often one provider may still be asked as somebody's second or later choice. An attempt that is no request's first takes a
 * whole token. It loses the token by failing; a success brings it back with a tenth of another one, as every success does.
 */
export interface RetryBudget {
  /** Tokens, in tenths: a whole number, so that nothing is ever rounded. */
  readonly tenths: number;
}

const TENTHS_MAX = RETRY_BUDGET.tokensMax * RETRY_BUDGET.successesPerToken;

export const FULL_RETRY_BUDGET: RetryBudget = { tenths: TENTHS_MAX };

export function hasToken(budget: RetryBudget): boolean {
  return budget.tenths >= RETRY_BUDGET.successesPerToken;
}

/** Takes a token that is there. */
export function withoutToken(budget: RetryBudget): RetryBudget {
  if (!hasToken(budget)) throw new RangeError(`no whole token is left of ${budget.tenths} tenths`);
  return { tenths: budget.tenths - RETRY_BUDGET.successesPerToken };
}

/** Brings back a token that was taken. */
export function withToken(budget: RetryBudget): RetryBudget {
  return { tenths: Math.min(TENTHS_MAX, budget.tenths + RETRY_BUDGET.successesPerToken) };
}

/** Adds what one success earns. */
export function withSuccess(budget: RetryBudget): RetryBudget {
  return { tenths: Math.min(TENTHS_MAX, budget.tenths + 1) };
}
