import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import type { TokenUsage } from '../core/usage.ts';
import { fieldAt } from './json-field.ts';
import { tokensMaxOf } from './token-bound.ts';

/** What is known about an answer beside the provider's own counts. */
export interface Received {
  /** The proven bound of the input. */
  readonly inputTokensMax: number;
  /** The output limit that was sent. */
  readonly outputTokensMax: number;
  /** All that the model wrote: text, a refusal, reasoning, tool calls. */
  readonly text: string;
  /** Whether the model may have reasoned without showing it. */
  readonly mayReasonUnseen: boolean;
}

/**
 * A provider's counts as one shape, every token counted once. Tokens written to a cache are plain input: we never ask for
 * caching, so there are none to be billed dearer.
 *
 * What the provider did not say is bounded from what was received, never guessed: charging characters / 4 would fall short on
 * 60 % of real prompts and give away money that the provider bills. The bound stays within the hold.
 */
export function usageOf(reported: LanguageModelV4Usage, received: Received): TokenUsage {
  // No prompt is zero tokens long: a zero is a package's stand-in for "not said".
  const input = countOf(reported.inputTokens.total) || null;
  const output = reportedOutput(reported, received);
  const inputTokens = input ?? received.inputTokensMax;
  const outputTokens = output ?? outputBound(received);
  return {
    inputTokens,
    cachedInputTokens: Math.min(countOf(reported.inputTokens.cacheRead) ?? 0, inputTokens),
    outputTokens,
    reasoningTokens: Math.min(countOf(reported.outputTokens.reasoning) ?? 0, outputTokens),
    source: sourceOf({ isInputReported: input !== null, isOutputReported: output !== null, received }),
  };
}

/** Null when the provider did not say: a zero beside text that came is not a count. */
function reportedOutput(reported: LanguageModelV4Usage, received: Received): number | null {
  const total = countOf(reported.outputTokens.total);
  if (total === null || (total === 0 && received.text !== '')) return null;
  return total + reasoningOutside(reported, total);
}

/**
 * xAI counts reasoning outside `completion_tokens`, unlike OpenAI, and shows it by its sum (vercel/ai#12425): total_tokens =
 * prompt + completion + reasoning.
 */
function reasoningOutside(reported: LanguageModelV4Usage, output: number): number {
  const reasoning = countOf(reported.outputTokens.reasoning) ?? 0;
  const input = countOf(reported.inputTokens.total) ?? 0;
  return fieldAt(reported.raw, 'total_tokens') === input + output + reasoning ? reasoning : 0;
}

function outputBound(received: Received): number {
  if (received.mayReasonUnseen) return received.outputTokensMax;
  return Math.min(received.outputTokensMax, tokensMaxOf(received.text));
}

function sourceOf(of: {
  readonly isInputReported: boolean;
  readonly isOutputReported: boolean;
  readonly received: Received;
}): TokenUsage['source'] {
  if (of.isInputReported && of.isOutputReported) return 'reported';
  return !of.isOutputReported && of.received.mayReasonUnseen ? 'estimated' : 'counted';
}

/** The most tokens that the registry lets a model have. More is a fault of who counts, and no sum of money. */
const TOKENS_MAX = 100_000_000;

/** A usable count. Null when it is missing, negative, not whole or beyond belief: money is never computed from such a number. */
function countOf(value: number | undefined): number | null {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX ? value : null;
}
