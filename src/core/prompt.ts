import type { Message, ToolCall } from './message.ts';
import type { JsonObject, ResponseFormat, ToolUse } from './tool.ts';
import type { TokenUsage } from './usage.ts';

export const EFFORTS = ['minimal', 'low', 'medium', 'high'] as const;

export type ReasoningEffort = (typeof EFFORTS)[number];

/** What a provider is asked, whichever protocol it speaks. Null means: the caller did not say. */
export interface Prompt {
  readonly messages: readonly Message[];
  /** Null: no tool may be called. */
  readonly tools: ToolUse | null;
  /** Null: free text. */
  readonly responseFormat: ResponseFormat | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly presencePenalty: number | null;
  readonly frequencyPenalty: number | null;
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly reasoningEffort: ReasoningEffort | null;
  /** Fields of OpenAI's wire that have no word of their own here, under their names there. Null: none. */
  readonly extras: JsonObject | null;
}

export const FINISH_REASONS = ['stop', 'length', 'toolCalls', 'contentFilter', 'error'] as const;

export type FinishReason = (typeof FINISH_REASONS)[number];

/** A complete answer. */
export interface Answer {
  /** Null when the model wrote no text. */
  readonly text: string | null;
  /** Why the model declined. Null when it did not. */
  readonly refusal: string | null;
  readonly toolCalls: readonly ToolCall[];
  /** How likely each token was, as OpenAI's wire tells it. Null: not asked for, or not told. */
  readonly logprobs: JsonObject | null;
  readonly finishReason: FinishReason;
  readonly usage: TokenUsage;
  /** Things worth knowing that were not errors, such as an ignored parameter. */
  readonly warnings: readonly string[];
}
