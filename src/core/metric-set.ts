import type { LatencyStats, MetricSet } from './analytics.ts';
import type { AttemptReport } from './decision.ts';
import { type PicoUsd, picoUsd } from './money.ts';
import type { RequestRecord } from './request-record.ts';

/** The numbers over some requests, and apart from them over some attempts: one request with a fallback counts once here and twice there. */
export function metricsOf(requests: readonly RequestRecord[], attempts: readonly AttemptReport[]): MetricSet {
  const succeeded = requests.filter((request) => request.status === 'succeeded');
  const refused = requests.filter((request) => request.status === 'refused');
  return {
    requests: requests.length,
    succeeded: succeeded.length,
    failed: requests.length - succeeded.length - refused.length,
    refused: refused.length,
    rescued: succeeded.filter((request) => request.fellBack).length,
    attempts: attempts.length,
    attemptsFailed: attempts.filter((attempt) => attempt.outcome !== 'succeeded').length,
    inputTokens: sumOf(requests.map((request) => request.usage?.inputTokens ?? 0)),
    outputTokens: sumOf(requests.map((request) => request.usage?.outputTokens ?? 0)),
    cost: moneyOf(requests.map((request) => request.cost.total)),
    saved: moneyOf(requests.map((request) => request.saved)),
    latency: latencyOf(succeeded.map((request) => request.timing.totalMs)),
    timeToFirstToken: latencyOf(requests.flatMap(firstTokenMsOf)),
    overhead: latencyOf(requests.map((request) => request.timing.overheadMs)),
  };
}

/** The numbers over nothing. */
export const NO_METRICS: MetricSet = metricsOf([], []);

/** The distribution of some times. */
export function latencyOf(timesMs: readonly number[]): LatencyStats {
  // Typed arrays sort by value and several times faster than a comparing function does.
  const sorted = Float64Array.from(timesMs).sort();
  return {
    meanMs: sorted.length === 0 ? null : sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
    p50Ms: percentileOf(sorted, 0.5),
    p90Ms: percentileOf(sorted, 0.9),
    p95Ms: percentileOf(sorted, 0.95),
    p99Ms: percentileOf(sorted, 0.99),
    maxMs: sorted.at(-1) ?? null,
  };
}

/** The value below which a share (0 to 1) of the values lies, between two of them as PostgreSQL's `percentile_cont` has it. Null without values. */
export function percentileOf(sorted: ArrayLike<number>, share: number): number | null {
  const position = share * (sorted.length - 1);
  const lower = sorted[Math.floor(position)];
  const upper = sorted[Math.ceil(position)];
  if (lower === undefined || upper === undefined) return null;
  const between = lower + (position - Math.floor(position)) * (upper - lower);
  // Rounding may lift it one last place above the upper neighbour: a percentile above the maximum would look odd.
  return Math.min(between, upper);
}

function firstTokenMsOf(request: RequestRecord): readonly number[] {
  const ms = request.timing.timeToFirstTokenMs;
  return request.isStreamed && ms !== null ? [ms] : [];
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Not `addUsd(...amounts)`: a full log has more amounts than a call can have arguments. */
function moneyOf(amounts: readonly PicoUsd[]): PicoUsd {
  return picoUsd(amounts.reduce((sum, amount) => sum + amount, 0n));
}
