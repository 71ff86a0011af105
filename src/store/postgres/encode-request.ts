import type { AttemptReport, CandidateReport, Rejection, RoutingDecision } from '../../core/decision.ts';
import type { PicoUsd } from '../../core/money.ts';
import type { RecordedError, RequestRecord } from '../../core/request-record.ts';
import { storableInstant, storableJson, storableText } from './storable.ts';

/** The row of `switchyard.request` as JSON, without `recorded_at`. */
export function encodeRequest(record: RequestRecord): string {
  const { usage, cost, timing } = record;
  return storableJson({
    id: record.id,
    created_at: storableInstant(record.createdAtMs),
    status: record.status,
    door: record.door,
    is_streamed: record.isStreamed,
    account: record.account,
    key_id: record.apiKey?.id ?? null,
    key_line: record.apiKey?.line ?? null,
    user_id: record.userId,
    model_requested: record.modelRequested,
    provider: record.provider,
    model: record.model,
    category: record.category,
    fell_back: record.fellBack,
    input_tokens: usage?.inputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    usage_source: usage?.source ?? null,
    cost_total: cost.total.toString(),
    cost_input: cost.input.toString(),
    cost_output: cost.output.toString(),
    cost_reserved: cost.reserved.toString(),
    price_list_version: cost.priceListVersion,
    saved: record.saved.toString(),
    total_ms: timing.totalMs,
    first_token_ms: timing.timeToFirstTokenMs,
    upstream_ms: timing.upstreamMs,
    overhead_ms: timing.overheadMs,
    finish_reason: record.finishReason,
    error: record.error === null ? null : encodeError(record.error),
    decision: encodeDecision(record.routing),
    metadata: storableLabels(record.metadata),
    conversation_id: record.conversationId,
    trace_id: record.traceId,
  });
}

/** The rows of `switchyard.attempt` that belong to a request, as JSON each. */
export function encodeAttempts(record: RequestRecord): readonly string[] {
  return record.routing.attempts.map((attempt) => storableJson(rowOf(record, attempt)));
}

/** Names of labels come from the caller, as their values do. */
export function storableLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [storableText(name), storableText(value)]));
}

function rowOf(record: RequestRecord, attempt: AttemptReport): Readonly<Record<string, unknown>> {
  return {
    request_id: record.id,
    number: attempt.number,
    created_at: storableInstant(record.createdAtMs),
    provider: attempt.provider,
    model: attempt.model,
    outcome: attempt.outcome,
    http_status: attempt.httpStatus,
    error_message: attempt.errorMessage,
    duration_ms: attempt.durationMs,
    cost: attempt.cost.toString(),
    counted_by_breaker: attempt.countedByBreaker,
  };
}

/** Without the attempts: they have a table of their own. */
function encodeDecision({ attempts: _, ...decision }: RoutingDecision): object {
  const { classification } = decision;
  return {
    ...decision,
    classification: { ...classification, confidence: finite(classification.confidence) },
    candidates: decision.candidates.map(encodeCandidate),
    decisionMs: finite(decision.decisionMs),
  };
}

function encodeCandidate(candidate: CandidateReport): object {
  const { score, scoreTerms, rejection } = candidate;
  return {
    ...candidate,
    score: score === null ? null : finite(score),
    scoreTerms: scoreTerms.map(({ name, value, weight }) => ({ name, value: finite(value), weight: finite(weight) })),
    rejection: rejection === null ? null : encodeRejection(rejection),
    estimatedCost: candidate.estimatedCost.toString(),
    estimatedLatencyMs: finite(candidate.estimatedLatencyMs),
  };
}

function encodeRejection(rejection: Rejection): object {
  return { ...rejection, required: textOf(rejection.required) };
}

function encodeError(error: RecordedError): object {
  return { ...error, required: textOf(error.required) };
}

function textOf(money: PicoUsd | null): string | null {
  return money === null ? null : money.toString();
}

/** JSON has no NaN and would write a hole that nobody can read back: a score that is none is a bug, best found here. */
function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`a decision holds a number that is none: ${value}`);
  return value;
}
