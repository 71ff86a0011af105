import { expect, test } from 'vitest';
import type { AttemptReport } from '../../src/core/decision.ts';
import { providerKey } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { exposedNameOf, METER_TABLE } from '../../src/telemetry/meter-table.ts';
import { makeMeters } from '../../src/telemetry/meters.ts';
import { makeRecord } from '../support/request-records.ts';

const FAILED: AttemptReport = {
  number: 1,
  provider: providerKey('google'),
  model: 'gemini-2.5-flash',
  outcome: 'timedOut',
  httpStatus: null,
  errorMessage: 'No complete answer before the time limit.',
  durationMs: 400,
  cost: picoUsd(0n),
  countedByBreaker: true,
};

const ANSWERED: AttemptReport = {
  ...FAILED,
  number: 2,
  provider: providerKey('openai'),
  model: 'gpt-5.1',
  outcome: 'succeeded',
  errorMessage: null,
  durationMs: 1_500,
  cost: picoUsd(2_500_000_000n),
};

/** The lines of one meter, without those of its buckets. */
async function linesOf(meters: ReturnType<typeof makeMeters>, name: string): Promise<readonly string[]> {
  const lines = (await meters.read()).split('\n');
  return lines.filter((line) => line.startsWith(name) && !line.includes('_bucket{'));
}

const isAboveZero = (line: string) => !line.endsWith(' 0');

test('counters whose labels are all known are there at zero from the start, so that a first increase is one', async () => {
  const meters = makeMeters();
  const requests = await linesOf(meters, 'switchyard_requests_total');
  expect(requests).toHaveLength(2 * (4 * 4 + 2));
  expect(requests).toContain('switchyard_requests_total{door="rest",outcome="unavailable"} 0');
  expect(await linesOf(meters, 'switchyard_budget_refusals_total')).toEqual([
    'switchyard_budget_refusals_total{reason="budget"} 0',
    'switchyard_budget_refusals_total{reason="costLimit"} 0',
  ]);
  expect(await linesOf(meters, 'switchyard_client_retries_total')).toHaveLength(8);
  const shown = requests.length;
  meters.requestBroke('graphql', 'internal');
  meters.requestEnded(makeRecord(1));
  meters.clientRetried('js');
  expect(await linesOf(meters, 'switchyard_requests_total')).toHaveLength(shown);
  expect(await linesOf(meters, 'switchyard_client_retries_total')).toHaveLength(8);
});

test('a request that fell back is counted once, each of its calls by itself, under the names of the conventions', async () => {
  const meters = makeMeters((key) => (key === 'google' ? 'gcp.gemini' : key));
  const usage = {
    inputTokens: 20,
    cachedInputTokens: 4,
    outputTokens: 10,
    reasoningTokens: 0,
    source: 'reported',
  } as const;
  meters.attemptEnded({ report: FAILED, upstreamMs: 400.25, usage: null, firstChunkMs: null, perChunkMs: null });
  meters.attemptEnded({ report: ANSWERED, upstreamMs: 1_500, usage, firstChunkMs: 300, perChunkMs: 25 });
  const record = makeRecord(1);
  meters.requestEnded({
    ...record,
    timing: { totalMs: 2_000, timeToFirstTokenMs: 800, upstreamMs: 1_900, overheadMs: 0.4 },
    routing: { ...record.routing, attempts: [FAILED, ANSWERED] },
  });

  expect((await linesOf(meters, 'switchyard_requests_total')).filter(isAboveZero)).toEqual([
    'switchyard_requests_total{door="graphql",outcome="succeeded",category="code"} 1',
  ]);
  expect(await linesOf(meters, 'switchyard_attempts_total')).toEqual([
    'switchyard_attempts_total{provider="google",model="gemini-2.5-flash",outcome="timedOut"} 1',
    'switchyard_attempts_total{provider="openai",model="gpt-5.1",outcome="succeeded"} 1',
  ]);
  expect(await linesOf(meters, 'switchyard_fallbacks_total')).toEqual([
    'switchyard_fallbacks_total{from="google",to="openai",reason="timedOut"} 1',
  ]);
  expect(await linesOf(meters, 'switchyard_cost_usd_total')).toEqual([
    'switchyard_cost_usd_total{provider="openai",model="gpt-5.1"} 0.0025',
  ]);
  const gpt = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-5.1"';
  const gemini =
    'gen_ai_operation_name="chat",gen_ai_provider_name="gcp.gemini",gen_ai_request_model="gemini-2.5-flash"';
  const sums = [
    `gen_ai_client_operation_duration_seconds_sum{${gemini},error_type="timedOut"} 0.40025`,
    `gen_ai_client_operation_duration_seconds_sum{${gpt}} 1.5`,
    `gen_ai_client_token_usage_sum{${gpt},gen_ai_token_type="input"} 20`,
    `gen_ai_client_token_usage_sum{${gpt},gen_ai_token_type="output"} 10`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${gpt}} 0.3`,
    `gen_ai_client_operation_time_per_output_chunk_seconds_sum{${gpt}} 0.025`,
    `gen_ai_server_request_duration_seconds_sum{${gpt}} 2`,
    `gen_ai_server_time_to_first_token_seconds_sum{${gpt}} 0.8`,
  ];
  expect((await linesOf(meters, 'gen_ai_')).filter((line) => line.includes('_sum{'))).toEqual(sums);
  expect(await linesOf(meters, 'switchyard_overhead_seconds_sum')).toEqual([
    'switchyard_overhead_seconds_sum{door="graphql"} 0.0004',
  ]);
});

test('whatever callers send makes no series of its own', async () => {
  const meters = makeMeters();
  for (const word of ['js', 'perl', '"}', 'x'.repeat(5_000)]) meters.clientRetried(word);
  for (const method of ['GET', 'BREW', 'get']) meters.httpEnded({ method, route: '', status: 404, durationMs: 1 });
  expect((await linesOf(meters, 'switchyard_client_retries_total')).filter(isAboveZero)).toEqual([
    'switchyard_client_retries_total{sdk="js"} 1',
    'switchyard_client_retries_total{sdk="other"} 3',
  ]);
  expect(await linesOf(meters, 'http_server_request_duration_seconds_count')).toEqual([
    'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404"} 1',
    'http_server_request_duration_seconds_count{http_request_method="_OTHER",http_response_status_code="404"} 2',
  ]);
});

test('a breaker is in one of its states, and what is only known when somebody asks is set before each reading', async () => {
  const meters = makeMeters();
  const provider = providerKey('openai');
  meters.providersSeen([
    { provider, breaker: 'closed', slotsLeft: 60 },
    { provider: providerKey('google'), breaker: 'open', slotsLeft: 0 },
  ]);
  // The other one has left.
  meters.providersSeen([{ provider, breaker: 'open', slotsLeft: 59 }]);
  expect(await linesOf(meters, 'switchyard_breaker_state')).toEqual([
    'switchyard_breaker_state{provider="openai",state="closed"} 0',
    'switchyard_breaker_state{provider="openai",state="open"} 1',
    'switchyard_breaker_state{provider="openai",state="halfOpen"} 0',
  ]);
  expect(await linesOf(meters, 'switchyard_ratelimit_remaining')).toEqual([
    'switchyard_ratelimit_remaining{provider="openai"} 59',
  ]);
  let waiting = 3;
  meters.beforeReading(() => meters.logQueue.set(waiting));
  expect(await linesOf(meters, 'switchyard_log_queue_size')).toEqual(['switchyard_log_queue_size 3']);
  waiting = 0;
  expect(await linesOf(meters, 'switchyard_log_queue_size')).toEqual(['switchyard_log_queue_size 0']);
});

test('names are made out of those of OpenTelemetry by its rules', () => {
  const names = [METER_TABLE.clientDuration, METER_TABLE.clientTokens, METER_TABLE.cost, METER_TABLE.storeUp];
  expect(names.map(exposedNameOf)).toEqual([
    'gen_ai_client_operation_duration_seconds',
    'gen_ai_client_token_usage',
    'switchyard_cost_usd_total',
    'switchyard_store_up',
  ]);
});
