import type { Account } from './account.ts';
import type { RoutingDecision } from './decision.ts';
import type { ProviderKey, RequestId } from './ids.ts';
import type { PicoUsd } from './money.ts';
import type { Answer } from './prompt.ts';
import type { EpochMs } from './time.ts';
import type { TokenUsage } from './usage.ts';

/** Stable codes of failures that a caller is expected to handle: the contract's ErrorCode. Listed in docs/errors.md. */
export const ERROR_CODES = [
  'BUDGET_EXCEEDED',
  'COST_LIMIT_TOO_LOW',
  'RATE_LIMITED',
  'NO_PROVIDER_AVAILABLE',
  'ALL_PROVIDERS_FAILED',
  'TIMED_OUT',
  'INVALID_INPUT',
  'IDEMPOTENCY_CONFLICT',
  'NOT_FOUND',
  'FEATURE_DISABLED',
  'CANCELLED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What every expected failure says. */
export interface Refusal {
  readonly code: ErrorCode;
  /** What happened and what to do next. */
  readonly message: string;
  readonly isRetryable: boolean;
  /** Null when nobody knows. */
  readonly retryAfterMs: number | null;
}

/** What a request cost. `reserved` is the most that was held for it at one moment. */
export interface Cost {
  /** Everything, failed attempts included. */
  readonly total: PicoUsd;
  /** Of the answer. */
  readonly input: PicoUsd;
  /** Of the answer. */
  readonly output: PicoUsd;
  readonly reserved: PicoUsd;
  readonly priceListVersion: string;
}

/** Where the time of a request went, in milliseconds. */
export interface Timing {
  readonly totalMs: number;
  /** Null when not streamed. */
  readonly timeToFirstTokenMs: number | null;
  readonly upstreamMs: number;
  /** With a fraction. */
  readonly overheadMs: number;
}

/** A rolling limit as it stood. */
export interface RateLimitState {
  readonly limit: number;
  readonly used: number;
  /** When one more request becomes possible. Null: now. */
  readonly freeAtMs: EpochMs | null;
}

export interface InputIssue {
  /** Such as `['messages', '0', 'content']`. */
  readonly path: readonly string[];
  readonly message: string;
}

/** An answer, complete and paid for. */
export interface Answered {
  readonly kind: 'answered';
  readonly requestId: RequestId;
  readonly answer: Answer;
  readonly provider: ProviderKey;
  readonly model: string;
  readonly usage: TokenUsage;
  readonly cost: Cost;
  readonly timing: Timing;
  readonly routing: RoutingDecision;
  /** The payer's account afterwards. Null when it has no cap. */
  readonly account: Account | null;
  readonly warnings: readonly string[];
  /** True when it was told again to a later sending of the same idempotency key: nothing was called or charged for that. */
  readonly isReplayed: boolean;
}

/** How a request ended without an answer. Each is its own kind, so that each is its own union member at the doors. */
export type Unanswered =
  | (Refusal & {
      readonly kind: 'budgetExceeded';
      readonly account: Account;
      /** What the cheapest eligible choice would have needed. */
      readonly required: PicoUsd;
    })
  | (Refusal & { readonly kind: 'costLimitTooLow'; readonly required: PicoUsd })
  | (Refusal & { readonly kind: 'rateLimited'; readonly rateLimit: RateLimitState })
  | (Refusal & { readonly kind: 'noProviderAvailable' })
  | (Refusal & { readonly kind: 'allProvidersFailed' })
  | (Refusal & { readonly kind: 'timedOut'; readonly timeoutMs: number })
  | (Refusal & { readonly kind: 'cancelled' });

/** A request that was recorded, and ended without an answer. */
export interface Ended {
  readonly kind: 'ended';
  readonly requestId: RequestId;
  readonly why: Unanswered;
  readonly routing: RoutingDecision;
  /** What failed attempts cost. */
  readonly cost: Cost;
  readonly timing: Timing;
}

export type ChatOutcome = Answered | Ended;

/** The key belongs to a request that asked something else. */
export interface IdempotencyConflict extends Refusal {
  readonly kind: 'idempotencyConflict';
}

/** A request that is larger than its caller may ever send. */
export interface TooLarge extends Refusal {
  readonly kind: 'invalidInput';
  readonly issues: readonly InputIssue[];
}

/** A sending that ran nothing: another request has its idempotency key, or its caller has used up its limits. Nothing is recorded of it. */
export interface NotRun {
  readonly kind: 'notRun';
  /** The request that has the key; of a caller's limits, the one that was refused. */
  readonly requestId: RequestId;
  readonly why:
    | IdempotencyConflict
    | TooLarge
    | Extract<Unanswered, { readonly kind: 'timedOut' | 'cancelled' | 'rateLimited' }>;
}
