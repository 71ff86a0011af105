import { addUsd, costOfTokens, type PicoUsd, type PricePerMTok, picoUsd } from './money.ts';

export const USAGE_SOURCES = ['reported', 'counted', 'estimated'] as const;

/** How token counts are known: said by the provider, counted here from what was received, or only bounded from above. */
export type UsageSource = (typeof USAGE_SOURCES)[number];

/** Tokens of one attempt, each counted once: cached is a part of input, reasoning a part of output. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly source: UsageSource;
}

/** The list prices of one model. */
export interface PriceCard {
  readonly input: PricePerMTok;
  readonly output: PricePerMTok;
  /** Null when cached input costs as much as other input. */
  readonly cachedInput: PricePerMTok | null;
  /** Null when reasoning costs as much as other output. */
  readonly reasoning: PricePerMTok | null;
}

export interface UsageCost {
  readonly input: PicoUsd;
  readonly output: PicoUsd;
  readonly total: PicoUsd;
}

/** What tokens cost, exactly. */
export function costOfUsage(usage: TokenUsage, price: PriceCard): UsageCost {
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const reasoning = Math.min(usage.reasoningTokens, usage.outputTokens);
  const input = addUsd(
    costOfTokens(usage.inputTokens - cached, price.input),
    costOfTokens(cached, price.cachedInput ?? price.input),
  );
  const output = addUsd(
    costOfTokens(usage.outputTokens - reasoning, price.output),
    costOfTokens(reasoning, price.reasoning ?? price.output),
  );
  return { input, output, total: picoUsd(input + output) };
}
