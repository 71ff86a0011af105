import type { Message } from './message.ts';
import type { TokenUsage } from './usage.ts';

export const EFFORTS = ['minimal', 'low', 'medium', 'high'] as const;

export type ReasoningEffort = (typeof EFFORTS)[number];

/** What a provider is asked, whichever protocol it speaks. Null means: the caller did not say. */
export interface Prompt {
  readonly messages: readonly Message[];
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly reasoningEffort: ReasoningEffort | null;
}

export const FINISH_REASONS = ['stop', 'length', 'toolCalls', 'contentFilter', 'error'] as const;

export type FinishReason = (typeof FINISH_REASONS)[number];

/** A complete answer. */
export interface Answer {
  /** Null when the model wrote no text. */
  readonly text: string | null;
  /** Why the model declined. Null when it did not. */
  readonly refusal: string | null;
  readonly finishReason: FinishReason;
  readonly usage: TokenUsage;
  /** Things worth knowing that were not errors, such as an ignored parameter. */
  readonly warnings: readonly string[];
}
