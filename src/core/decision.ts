import type { Classification } from './category.ts';
import { FAILURE_KINDS } from './failure.ts';
import type { ProviderKey } from './ids.ts';
import type { PicoUsd } from './money.ts';
import type { EpochMs } from './time.ts';

export const REJECTIONS = [
  'breakerOpen',
  'breakerProbing',
  'rateLimited',
  'disabled',
  'excluded',
  'overMaxPrice',
  'overCostLimit',
  'overBudget',
  'tooSlow',
  'contextTooLong',
  'missingCapability',
] as const;

export type RejectionReason = (typeof REJECTIONS)[number];

export interface Rejection {
  readonly reason: RejectionReason;
  /** For a person, such as when the breaker tries again. */
  readonly detail: string;
  /** When the reason is expected to be gone. Null when time alone does not help, or nobody knows. */
  readonly untilMs: EpochMs | null;
  /** The least that would have been held, where it was asked for: for want of money, or because the provider cannot be asked now. Null otherwise. */
  readonly required: PicoUsd | null;
}

/** One term of a score: `value` is normalised, 0 to 1, higher is better. A score is the sum of value × weight. */
export interface ScoreTerm {
  readonly name: string;
  readonly value: number;
  readonly weight: number;
}

/** One provider and model the router looked at, with what it thought of it. */
export interface CandidateReport {
  readonly provider: ProviderKey;
  readonly model: string;
  /** 1 is best. Null when refused. */
  readonly rank: number | null;
  /** 0 to 1. Null when refused. */
  readonly score: number | null;
  readonly scoreTerms: readonly ScoreTerm[];
  /** Null when eligible. */
  readonly rejection: Rejection | null;
  readonly estimatedCost: PicoUsd;
  readonly estimatedLatencyMs: number;
}

export const ATTEMPT_OUTCOMES = ['succeeded', ...FAILURE_KINDS] as const;

/** How a call to a provider ended. */
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One call really made. */
export interface AttemptReport {
  /** 1 for the first. */
  readonly number: number;
  readonly provider: ProviderKey;
  readonly model: string;
  readonly outcome: AttemptOutcome;
  /** Null when there was no HTTP answer. */
  readonly httpStatus: number | null;
  /** Null when it succeeded. */
  readonly errorMessage: string | null;
  readonly durationMs: number;
  readonly cost: PicoUsd;
  readonly countedByBreaker: boolean;
}

/** Why a request was routed as it was: enough to check the decision by hand. */
export interface RoutingDecision {
  /** One sentence for a person. */
  readonly summary: string;
  readonly classification: Classification;
  /** Best first, refused ones last. */
  readonly candidates: readonly CandidateReport[];
  /** In order. Empty in a preview. */
  readonly attempts: readonly AttemptReport[];
  /** Name and version of the routing policy. */
  readonly policy: string;
  readonly decisionMs: number;
}
