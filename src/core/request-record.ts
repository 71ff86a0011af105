import type { UsedKey } from './api-key.ts';
import type { Category } from './category.ts';
import type { RoutingDecision } from './decision.ts';
import type { AccountKey, ProviderKey, RequestId } from './ids.ts';
import type { PicoUsd } from './money.ts';
import type { Cost, ErrorCode, Timing } from './outcome.ts';
import type { FinishReason } from './prompt.ts';
import type { EpochMs } from './time.ts';
import type { TokenUsage } from './usage.ts';

export const REQUEST_STATUSES = ['succeeded', 'failed', 'refused', 'cancelled'] as const;

/** How a request ended: answered, not answered, refused before any call, stopped by the caller. */
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** How far a request is: under way, or as above. */
export type RequestProgress = 'running' | RequestStatus;

export const DOORS = ['graphql', 'rest'] as const;

export type Door = (typeof DOORS)[number];

/** What the log keeps of a failure. */
export interface RecordedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | null;
  /** Money that would have been needed. Null unless money stood in the way. */
  readonly required: PicoUsd | null;
  /** The limit that passed. Null unless time ran out. */
  readonly timeoutMs: number | null;
}

/** One request as the log keeps it: no prompt and no answer. */
export interface RequestRecord {
  readonly id: RequestId;
  readonly createdAtMs: EpochMs;
  readonly status: RequestStatus;
  readonly door: Door;
  readonly isStreamed: boolean;
  readonly account: AccountKey;
  /** The key that it came with. Null: it came without one. */
  readonly apiKey: UsedKey | null;
  /** Null when nobody in particular was billed. */
  readonly userId: string | null;
  readonly modelRequested: string;
  /** The provider that answered, or that failed last. Null when none was called. */
  readonly provider: ProviderKey | null;
  /** Its model. Null when none was called. */
  readonly model: string | null;
  readonly category: Category;
  /** More than one attempt was made. */
  readonly fellBack: boolean;
  /** Null without an answer. */
  readonly usage: TokenUsage | null;
  readonly cost: Cost;
  /** Saved against the dearest eligible model for the same tokens. Zero without an answer. */
  readonly saved: PicoUsd;
  readonly timing: Timing;
  /** Null without an answer. */
  readonly finishReason: FinishReason | null;
  /** Null with an answer. */
  readonly error: RecordedError | null;
  readonly routing: RoutingDecision;
  readonly metadata: Readonly<Record<string, string>>;
  readonly conversationId: string | null;
  /** The W3C id of its trace. Null: it was not traced. */
  readonly traceId: string | null;
}

/** A request as it is now. While it runs, cost and time are what they have come to, and the provider is the one that is asked. */
export interface RequestView extends Omit<RequestRecord, 'status' | 'routing'> {
  readonly status: RequestProgress;
  /** Null when another replica told of the request: then the log has it once the request has ended. */
  readonly routing: RoutingDecision | null;
}

/** A request with its decision. */
export type RoutedView = RequestView & { readonly routing: RoutingDecision };

export function isRouted(view: RequestView): view is RoutedView {
  return view.routing !== null;
}

export const REQUEST_ORDER_FIELDS = ['createdAt', 'cost', 'duration'] as const;

export interface RequestOrder {
  readonly field: (typeof REQUEST_ORDER_FIELDS)[number];
  readonly direction: 'ascending' | 'descending';
}
