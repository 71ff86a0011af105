import type { AttemptOutcome } from '../core/decision.ts';
import { FAILURE_POLICY } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import { findProvider, type Registry } from '../core/registry.ts';
import {
  FULL_RETRY_BUDGET,
  hasToken,
  type RetryBudget,
  withoutToken,
  withSuccess,
  withTime,
  withToken,
} from '../core/retry-budget.ts';
import type { Clock } from '../ports/clock.ts';

/** The retry budgets of this replica, one for each provider that was ever asked: no more than the registry has. */
export interface RetryBook {
  /** Whether a retry may go there now. Takes nothing. */
  hasToken(provider: ProviderKey): boolean;
  /** A first attempt: free of charge, but its success earns. */
  first(provider: ProviderKey): RetryStake;
  /** A later attempt, for one token. Null: none is left. */
  retry(provider: ProviderKey): RetryStake | null;
  /** Forgets the providers that a registry does not have. */
  keepOnly(registry: Registry): void;
}

/** What one attempt has put in. Disposing gives it back, unless the attempt has lost it: a call that was never made costs nothing. */
export interface RetryStake extends Disposable {
  end(outcome: AttemptOutcome): void;
}

export function makeRetryBook(clock: Clock): RetryBook {
  const entries = new Map<ProviderKey, { readonly budget: RetryBudget; readonly asOfMs: number }>();
  const nowMs = () => Math.floor(clock.elapsedMs());
  const budgetOf = (provider: ProviderKey) => {
    const entry = entries.get(provider);
    return entry === undefined ? FULL_RETRY_BUDGET : withTime(entry.budget, nowMs() - entry.asOfMs);
  };
  const keep = (provider: ProviderKey, budget: RetryBudget) => void entries.set(provider, { budget, asOfMs: nowMs() });
  const stakeIn = (provider: ProviderKey, giveBack: (budget: RetryBudget) => RetryBudget): RetryStake => {
    let isOut = true;
    return {
      end(outcome) {
        if (outcome === 'succeeded') keep(provider, withSuccess(budgetOf(provider)));
        // A request that was wrong, and a caller who left, say nothing about the provider.
        else if (FAILURE_POLICY[outcome].tryNext) isOut = false;
      },
      [Symbol.dispose]() {
        if (isOut) keep(provider, giveBack(budgetOf(provider)));
        isOut = false;
      },
    };
  };
  return {
    hasToken: (provider) => hasToken(budgetOf(provider)),
    first: (provider) => stakeIn(provider, (budget) => budget),
    retry(provider) {
      const budget = budgetOf(provider);
      if (!hasToken(budget)) return null;
      keep(provider, withoutToken(budget));
      return stakeIn(provider, withToken);
    },
    keepOnly(registry) {
      for (const key of entries.keys()) if (findProvider(registry, key) === undefined) entries.delete(key);
    },
  };
}
