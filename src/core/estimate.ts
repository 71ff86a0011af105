import type { Message } from './message.ts';
import { addUsd, costOfTokens, type PicoUsd } from './money.ts';
import type { PriceCard } from './usage.ts';

/** The seed's rule. Only for ranking: it falls short for many real prompts, so money is never held by it. */
const CHARS_PER_TOKEN = 4;

/** What an answer is taken to need while nobody knows, for ranking only. */
const OUTPUT_TOKENS_EXPECTED = 300;

/** Tokens of a text by the seed's rule: characters as Python counts them, divided by four, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(countCodePoints(text) / CHARS_PER_TOKEN);
}

/** Tokens of a whole conversation by the seed's rule, over the text of all messages together. */
export function estimateInputTokens(messages: readonly Message[]): number {
  let points = 0;
  for (const message of messages) {
    for (const part of message.parts) if (part.kind === 'text') points += countCodePoints(part.text);
  }
  return Math.ceil(points / CHARS_PER_TOKEN);
}

/** What an attempt is expected to cost. `outputTokensMax` is the smallest limit that applies. */
export function estimateCost(of: {
  readonly inputTokens: number;
  readonly outputTokensMax: number;
  readonly price: PriceCard;
}): PicoUsd {
  return addUsd(
    costOfTokens(of.inputTokens, of.price.input),
    costOfTokens(Math.min(of.outputTokensMax, OUTPUT_TOKENS_EXPECTED), of.price.output),
  );
}

/** Characters as Python's `len` counts them: a surrogate pair is one. */
export function countCodePoints(text: string): number {
  let count = 0;
  for (const _point of text) count += 1;
  return count;
}
