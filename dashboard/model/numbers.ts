// Numbers over a window that ends when they are made.

/** Times in milliseconds; all null without data. */
export interface Percentiles {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface Numbers {
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  /** Answered only after a fallback. */
  readonly rescued: number;
  readonly attempts: number;
  readonly attemptsFailed: number;
  /** Null without requests. */
  readonly successShare: number | null;
  readonly costUsd: string;
  readonly savedUsd: string;
  readonly latency: Percentiles;
  readonly timeToFirstToken: Percentiles;
}

export interface Totals extends Numbers {
  readonly atMs: number;
  /** Over the window; where all is kept in memory, over what of it lies after the start. */
  readonly requestsPerSecond: number;
  readonly burnUsdPerHour: string;
  readonly inFlight: number;
}

/** A tick as the charts need it. Each figure is of the rolling window that ends at `atMs`. */
export interface TickPoint {
  readonly atMs: number;
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly inFlight: number;
  readonly providers: readonly ProviderPoint[];
}

export interface ProviderPoint {
  readonly key: string;
  readonly requests: number;
  /** For drawing only: exact money is text. */
  readonly costUsd: number;
}
