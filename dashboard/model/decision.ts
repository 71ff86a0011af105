export type RequestStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'REFUSED' | 'CANCELLED';
export type Category = 'CODE' | 'WRITING' | 'ANALYSIS' | 'GENERAL';

export type AttemptOutcome =
  | 'SUCCEEDED'
  | 'PROVIDER_ERROR'
  | 'RATE_LIMITED'
  | 'TIMED_OUT'
  | 'NETWORK_ERROR'
  | 'REJECTED'
  | 'INVALID_RESPONSE'
  | 'CANCELLED';

export interface Decision {
  readonly id: string;
  readonly atMs: number;
  readonly status: RequestStatus;
  readonly door: 'GRAPHQL' | 'REST';
  /** Null: nobody in particular. */
  readonly userId: string | null;
  /** Null where nothing was routed. */
  readonly category: Category | null;
  readonly modelRequested: string;
  /** The calls made so far, in order. */
  readonly path: readonly PathStep[];
  /** Null: nobody, or not yet. */
  readonly answeredBy: { readonly provider: string; readonly model: string } | null;
  /** Null while it runs. */
  readonly costUsd: string | null;
  /** Null while it runs. */
  readonly totalMs: number | null;
  /** Null where it was not streamed. */
  readonly timeToFirstTokenMs: number | null;
  /** Why it went where it went, in a sentence. Null where nothing was routed. */
  readonly summary: string | null;
  readonly error: Fault | null;
}

export interface PathStep {
  /** The provider's key. */
  readonly provider: string;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
  /** What the provider said, with secrets removed; null when it said nothing. */
  readonly errorMessage: string | null;
}

export interface Fault {
  readonly code: string;
  readonly message: string;
}

export interface Selected {
  readonly id: string;
  readonly detail: 'loading' | 'gone' | Refused | DecisionDetail;
}

export interface Refused {
  readonly kind: 'refused';
  readonly why: string;
}

/** The why of a decision, enough to check it by hand. */
export interface DecisionDetail {
  readonly kind: 'detail';
  readonly decision: Decision;
  /** Null where nothing was routed. */
  readonly routing: Routing | null;
  readonly tokens: { readonly input: number; readonly output: number } | null;
  /** What was held while it ran. */
  readonly reservedUsd: string | null;
  /** Milliseconds with fraction. */
  readonly overheadMs: number | null;
}

export interface Routing {
  readonly summary: string;
  readonly policy: string;
  readonly category: Category;
  /** 0 to 1. */
  readonly confidence: number;
  readonly signals: readonly string[];
  /** Best first, refused ones last. */
  readonly candidates: readonly Candidate[];
  readonly attempts: readonly AttemptDetail[];
}

export interface Candidate {
  /** The provider's key. */
  readonly provider: string;
  readonly model: string;
  /** 1 is best; null when refused. */
  readonly rank: number | null;
  /** Null when refused. */
  readonly score: number | null;
  readonly terms: readonly { readonly name: string; readonly value: number; readonly weight: number }[];
  /** Null when eligible. */
  readonly rejection: { readonly reason: string; readonly detail: string } | null;
  readonly estimatedCostUsd: string | null;
  readonly estimatedLatencyMs: number | null;
}

export interface AttemptDetail extends PathStep {
  readonly number: number;
  readonly model: string;
  readonly costUsd: string;
  readonly httpStatus: number | null;
  readonly isCountedByBreaker: boolean;
}
