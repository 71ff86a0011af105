import type { ApiKeyId, ProviderKey } from './ids.ts';
import type { PicoUsd } from './money.ts';
import type { RequestProgress } from './request-record.ts';
import type { EpochMs } from './time.ts';
import type { View } from './view.ts';

export const DIMENSIONS = ['provider', 'model', 'category', 'user', 'apiKey', 'door', 'status'] as const;

/** What analytics can be grouped by. Attempts belong to their own provider and model, everything else to the request's. */
export type Dimension = (typeof DIMENSIONS)[number];

/** The value of a dimension that a request does not have, such as the provider of a refused one. */
export const NO_VALUE = 'none';

/** The group that the rest is folded into. */
export const OTHER_VALUE = 'other';

export const ANALYTICS_LIMITS = { groupsMax: 200, pointsMax: 1_000, pointsDefault: 120, dimensionsMax: 2 } as const;

/** A distribution of times in milliseconds. All null without data. */
export interface LatencyStats {
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

/** A set of numbers over some requests, and apart from them over their attempts. */
export interface MetricSet {
  readonly requests: number;
  readonly succeeded: number;
  /** Not answered, the cancelled ones included: requests = succeeded + failed + refused. */
  readonly failed: number;
  readonly refused: number;
  /** Answered only after a fallback. */
  readonly rescued: number;
  readonly attempts: number;
  readonly attemptsFailed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: PicoUsd;
  readonly saved: PicoUsd;
  /** Time to the complete answer, answered requests only. */
  readonly latency: LatencyStats;
  /** Streamed requests only. */
  readonly timeToFirstToken: LatencyStats;
  /** Time spent inside the gateway, all requests. */
  readonly overhead: LatencyStats;
}

/** The end is not included. */
export interface Window {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
}

/** Keeps only some requests. Null or an empty list: no condition. All given conditions must hold. */
export interface RequestFilter {
  /** The log has no request that is running. */
  readonly status: readonly RequestProgress[];
  readonly provider: readonly string[];
  readonly model: readonly string[];
  readonly userId: string | null;
  /** That came with this key, or with any of its line if it is the first one. */
  readonly apiKeyId: ApiKeyId | null;
  readonly category: readonly string[];
  readonly fellBack: boolean | null;
  readonly window: Window | null;
  readonly costMin: PicoUsd | null;
  readonly totalMsMin: number | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export const NO_FILTER: RequestFilter = {
  status: [],
  provider: [],
  model: [],
  userId: null,
  apiKeyId: null,
  category: [],
  fellBack: null,
  window: null,
  costMin: null,
  totalMsMin: null,
  metadata: {},
};

export interface AnalyticsQuery {
  readonly window: Window;
  readonly groupBy: readonly Dimension[];
  readonly filter: RequestFilter;
  readonly groupsMax: number;
  /** Widths of the time series wanted; one series each. */
  readonly intervalsMs: readonly number[];
}

/** A query, and whose requests it is answered from. */
export interface ViewedQuery extends AnalyticsQuery {
  readonly view: View;
}

/** The numbers of one provider, and whose requests they are counted from. */
export interface ProviderQuery {
  readonly provider: ProviderKey;
  readonly window: Window;
  readonly view: View;
}

export interface AnalyticsGroup {
  /** One value for each dimension asked for, in order. */
  readonly keys: readonly string[];
  readonly metrics: MetricSet;
}

export interface AnalyticsPoint {
  readonly atMs: EpochMs;
  readonly metrics: MetricSet;
}

/** Everything out of one snapshot, so that the numbers add up. */
export interface AnalyticsReport {
  readonly totals: MetricSet;
  readonly groups: readonly AnalyticsGroup[];
  /** In the order of `intervalsMs`. Points without requests are present, with zeros. */
  readonly series: readonly (readonly AnalyticsPoint[])[];
  /** The numbers include every request recorded before this moment. */
  readonly freshUntilMs: EpochMs;
}
