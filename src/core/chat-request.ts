import type { Category } from './category.ts';
import type { ProviderKey } from './ids.ts';
import type { PicoUsd, PricePerMTok } from './money.ts';
import type { Prompt } from './prompt.ts';

/** Limits on what a caller may send. A body as a whole is bounded by the door (1 MB). */
export const CHAT_LIMITS = {
  promptCharsMax: 200_000,
  messagesMax: 1_000,
  fallbackModelsMax: 10,
  stopSequencesMax: 4,
  stopCharsMax: 200,
  toolsMax: 128,
  toolCallsMax: 128,
  toolCallIdCharsMax: 200,
  /** Of all tools and the answer's schema together, as JSON. */
  schemasCharsMax: 200_000,
  /** As JSON. */
  extrasCharsMax: 20_000,
  metadataLabelsMax: 16,
  metadataCharsMax: 200,
  userIdCharsMax: 200,
  conversationIdCharsMax: 200,
  idempotencyKeyCharsMax: 255,
  attemptsMax: 10,
  timeoutMsDefault: 60_000,
  timeoutMsMin: 100,
  timeoutMsMax: 600_000,
} as const;

export const SORTS = ['price', 'latency', 'throughput', 'quality'] as const;

/** One quality to rank by. */
export type Sort = (typeof SORTS)[number];

/** Wishes and limits for the choice of provider. Empty lists and nulls mean: no wish. */
export interface Preferences {
  readonly order: readonly ProviderKey[];
  readonly only: readonly ProviderKey[];
  readonly ignore: readonly ProviderKey[];
  /** Null: the balanced score of the policy. */
  readonly sort: Sort | null;
  readonly allowFallbacks: boolean;
  readonly attemptsMax: number;
  readonly requireParameters: boolean;
  readonly inputPriceMax: PricePerMTok | null;
  readonly outputPriceMax: PricePerMTok | null;
  /** Skip models whose recent p95 is above this. */
  readonly latencyMsMax: number | null;
  /** Null: what the classifier says. */
  readonly category: Category | null;
}

/** A chat request after parsing: what the caller asks and wishes. Nothing in it needs to be checked again. */
export interface ChatRequest {
  readonly prompt: Prompt;
  /** A model name, an alias, `provider/model`, or `auto`. */
  readonly model: string;
  readonly fallbackModels: readonly string[];
  /** Null: the smaller of the model's limit and what the payer can afford. */
  readonly maxOutputTokens: number | null;
  readonly preferences: Preferences;
  /** Hard limit for all attempts together. Null: none but the budget. */
  readonly costMax: PicoUsd | null;
  /** For the whole request, fallbacks included. */
  readonly timeoutMs: number;
  /** As the caller claims. Null: nobody in particular. */
  readonly userId: string | null;
  readonly conversationId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of all sendings with one key and the same input only one is run. Null: each sending is a request of its own. */
  readonly idempotencyKey: string | null;
}
