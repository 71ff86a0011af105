import { toolCallsOf } from './message.ts';
import { addUsd, costOfTokens, type PicoUsd } from './money.ts';
import type { Prompt } from './prompt.ts';
import type { PriceCard } from './usage.ts';

/** The seed's rule. Only for ranking: it falls short for many real prompts, so money is never held by it. */
const CHARS_PER_TOKEN = 4;

/** What an answer is taken to need while nobody knows, for ranking and for limits of callers. */
const OUTPUT_TOKENS_EXPECTED = 300;

/** Tokens of a text by the seed's rule: characters as Python counts them, divided by four, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(countCodePoints(text) / CHARS_PER_TOKEN);
}

/** Tokens of a whole prompt by the seed's rule, over all its text together; tools and schemas count as JSON. */
export function estimateInputTokens(prompt: Pick<Prompt, 'messages' | 'tools' | 'responseFormat'>): number {
  let points = 0;
  for (const message of prompt.messages) {
    for (const part of message.parts) if (part.kind === 'text') points += countCodePoints(part.text);
    for (const call of toolCallsOf(message)) points += countCodePoints(call.name) + countCodePoints(call.arguments);
  }
  if (prompt.tools !== null) points += JSON.stringify(prompt.tools.tools).length;
  if (prompt.responseFormat?.kind === 'jsonSchema') points += JSON.stringify(prompt.responseFormat.schema).length;
  return Math.ceil(points / CHARS_PER_TOKEN);
}

/** Tokens that a request is expected to use, its answer included: as long as the caller allows, or as an answer is taken to be. */
export function estimateRequestTokens(request: {
  readonly prompt: Pick<Prompt, 'messages' | 'tools' | 'responseFormat'>;
  readonly maxOutputTokens: number | null;
}): number {
  return estimateInputTokens(request.prompt) + (request.maxOutputTokens ?? OUTPUT_TOKENS_EXPECTED);
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
