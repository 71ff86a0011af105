import type postgres from 'postgres';
import type { LatencyStats, MetricSet } from '../../core/analytics.ts';
import { decodeFields, decodeList, decodeMoney, decodeNullable, decodeNumber } from '../../core/decode.ts';
import { NO_METRICS } from '../../core/metric-set.ts';

/** The half of a MetricSet that is counted over rows with the columns of `switchyard.request`, as one JSON object. */
export function requestMetrics(sql: postgres.Sql): postgres.Fragment {
  return sql`jsonb_build_object(
    'requests', count(*),
    'succeeded', count(*) filter (where status = 'succeeded'),
    'refused', count(*) filter (where status = 'refused'),
    'rescued', count(*) filter (where status = 'succeeded' and fell_back),
    'inputTokens', coalesce(sum(input_tokens), 0),
    'outputTokens', coalesce(sum(output_tokens), 0),
    'cost', coalesce(sum(cost_total), 0)::text,
    'saved', coalesce(sum(saved), 0)::text,
    'latency', ${latencyOf(sql, sql`total_ms`, sql`status = 'succeeded'`)},
    'timeToFirstToken', ${latencyOf(sql, sql`first_token_ms`, sql`is_streamed`)},
    'overhead', ${latencyOf(sql, sql`overhead_ms`, sql`true`)})`;
}

/** The other half, over rows with the columns of `switchyard.attempt`. */
export function attemptMetrics(sql: postgres.Sql): postgres.Fragment {
  return sql`jsonb_build_object(
    'attempts', count(*),
    'attemptsFailed', count(*) filter (where outcome <> 'succeeded'))`;
}

/** Puts both halves together. A half is undefined when there was nothing to count. */
export function decodeMetrics(ofRequests: unknown, ofAttempts: unknown): MetricSet {
  return { ...NO_METRICS, ...decodeRequestHalf(ofRequests), ...decodeAttemptHalf(ofAttempts) };
}

function latencyOf(sql: postgres.Sql, column: postgres.Fragment, condition: postgres.Fragment): postgres.Fragment {
  return sql`jsonb_build_object(
    'meanMs', avg(${column}) filter (where ${condition}),
    'percentilesMs', percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (order by ${column})
      filter (where ${condition}),
    'maxMs', max(${column}) filter (where ${condition}))`;
}

function decodeRequestHalf(value: unknown): Partial<MetricSet> {
  if (value === undefined) return {};
  const half = decodeFields(value);
  const requests = decodeNumber(half.requests);
  const succeeded = decodeNumber(half.succeeded);
  const refused = decodeNumber(half.refused);
  return {
    requests,
    succeeded,
    failed: requests - succeeded - refused,
    refused,
    rescued: decodeNumber(half.rescued),
    inputTokens: decodeNumber(half.inputTokens),
    outputTokens: decodeNumber(half.outputTokens),
    cost: decodeMoney(half.cost),
    saved: decodeMoney(half.saved),
    latency: decodeLatency(half.latency),
    timeToFirstToken: decodeLatency(half.timeToFirstToken),
    overhead: decodeLatency(half.overhead),
  };
}

function decodeAttemptHalf(value: unknown): Partial<MetricSet> {
  if (value === undefined) return {};
  const half = decodeFields(value);
  return { attempts: decodeNumber(half.attempts), attemptsFailed: decodeNumber(half.attemptsFailed) };
}

function decodeLatency(value: unknown): LatencyStats {
  const stats = decodeFields(value);
  const [p50Ms = null, p90Ms = null, p95Ms = null, p99Ms = null] =
    decodeNullable(stats.percentilesMs, (list) => decodeList(list, decodeNumber)) ?? [];
  return {
    meanMs: decodeNullable(stats.meanMs, decodeNumber),
    p50Ms,
    p90Ms,
    p95Ms,
    p99Ms,
    maxMs: decodeNullable(stats.maxMs, decodeNumber),
  };
}
