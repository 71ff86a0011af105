import type { Cost } from '../../core/outcome.ts';
import type { TokenUsage } from '../../core/usage.ts';
import { exactNumberOf } from './exact-number.ts';

type Tokens = Omit<TokenUsage, 'source'>;

/** Of an answer that there is none of. */
export const NO_TOKENS: Tokens = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

/** Tokens of the answer, and what all attempts together cost. */
export function usageOf(usage: Tokens, cost: Cost) {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    cost: exactNumberOf(cost.total),
  };
}
