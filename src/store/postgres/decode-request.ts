import { CATEGORIES, type Classification } from '../../core/category.ts';
import {
  ATTEMPT_OUTCOMES,
  type AttemptReport,
  type CandidateReport,
  REJECTIONS,
  type Rejection,
  type ScoreTerm,
} from '../../core/decision.ts';
import { accountKey, providerKey, requestId } from '../../core/ids.ts';
import { ERROR_CODES } from '../../core/outcome.ts';
import { FINISH_REASONS } from '../../core/prompt.ts';
import { DOORS, REQUEST_STATUSES, type RecordedError, type RequestRecord } from '../../core/request-record.ts';
import { type TokenUsage, USAGE_SOURCES } from '../../core/usage.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeInstant,
  decodeList,
  decodeMoney,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
  type Fields,
} from './decode.ts';

/** A request out of a row that was selected with `requestColumns`. */
export function decodeRequest(row: Fields): RequestRecord {
  const decision = decodeFields(row.decision);
  return {
    id: requestId(decodeText(row.id)),
    createdAtMs: decodeInstant(row.created_at_ms),
    status: decodeOneOf(REQUEST_STATUSES, row.status),
    door: decodeOneOf(DOORS, row.door),
    isStreamed: decodeBoolean(row.is_streamed),
    account: accountKey(decodeText(row.account)),
    userId: decodeNullable(row.user_id, decodeText),
    modelRequested: decodeText(row.model_requested),
    provider: decodeNullable(row.provider, (value) => providerKey(decodeText(value))),
    model: decodeNullable(row.model, decodeText),
    category: decodeOneOf(CATEGORIES, row.category),
    fellBack: decodeBoolean(row.fell_back),
    usage: row.usage_source === null ? null : decodeUsage(row),
    cost: {
      total: decodeMoney(row.cost_total),
      input: decodeMoney(row.cost_input),
      output: decodeMoney(row.cost_output),
      reserved: decodeMoney(row.cost_reserved),
      priceListVersion: decodeText(row.price_list_version),
    },
    saved: decodeMoney(row.saved),
    timing: {
      totalMs: decodeNumber(row.total_ms),
      timeToFirstTokenMs: decodeNullable(row.first_token_ms, decodeNumber),
      upstreamMs: decodeNumber(row.upstream_ms),
      overheadMs: decodeNumber(row.overhead_ms),
    },
    finishReason: decodeNullable(row.finish_reason, (value) => decodeOneOf(FINISH_REASONS, value)),
    error: decodeNullable(row.error, decodeError),
    routing: {
      summary: decodeText(decision.summary),
      classification: decodeClassification(decision.classification),
      candidates: decodeList(decision.candidates, decodeCandidate),
      attempts: decodeList(row.attempts, decodeAttempt),
      policy: decodeText(decision.policy),
      decisionMs: decodeNumber(decision.decisionMs),
    },
    metadata: decodeLabels(row.metadata),
    conversationId: decodeNullable(row.conversation_id, decodeText),
  };
}

function decodeUsage(row: Fields): TokenUsage {
  return {
    inputTokens: decodeNumber(row.input_tokens),
    cachedInputTokens: decodeNumber(row.cached_input_tokens),
    outputTokens: decodeNumber(row.output_tokens),
    reasoningTokens: decodeNumber(row.reasoning_tokens),
    source: decodeOneOf(USAGE_SOURCES, row.usage_source),
  };
}

function decodeError(value: unknown): RecordedError {
  const error = decodeFields(value);
  return {
    code: decodeOneOf(ERROR_CODES, error.code),
    message: decodeText(error.message),
    isRetryable: decodeBoolean(error.isRetryable),
    retryAfterMs: decodeNullable(error.retryAfterMs, decodeNumber),
    required: decodeNullable(error.required, decodeMoney),
    timeoutMs: decodeNullable(error.timeoutMs, decodeNumber),
  };
}

function decodeClassification(value: unknown): Classification {
  const classification = decodeFields(value);
  return {
    category: decodeOneOf(CATEGORIES, classification.category),
    confidence: decodeNumber(classification.confidence),
    signals: decodeList(classification.signals, decodeText),
    classifier: decodeText(classification.classifier),
  };
}

function decodeCandidate(value: unknown): CandidateReport {
  const candidate = decodeFields(value);
  return {
    provider: providerKey(decodeText(candidate.provider)),
    model: decodeText(candidate.model),
    rank: decodeNullable(candidate.rank, decodeNumber),
    score: decodeNullable(candidate.score, decodeNumber),
    scoreTerms: decodeList(candidate.scoreTerms, decodeScoreTerm),
    rejection: decodeNullable(candidate.rejection, decodeRejection),
    estimatedCost: decodeMoney(candidate.estimatedCost),
    estimatedLatencyMs: decodeNumber(candidate.estimatedLatencyMs),
  };
}

function decodeScoreTerm(value: unknown): ScoreTerm {
  const term = decodeFields(value);
  return {
    name: decodeText(term.name),
    value: decodeNumber(term.value),
    weight: decodeNumber(term.weight),
  };
}

function decodeRejection(value: unknown): Rejection {
  const rejection = decodeFields(value);
  return {
    reason: decodeOneOf(REJECTIONS, rejection.reason),
    detail: decodeText(rejection.detail),
    untilMs: decodeNullable(rejection.untilMs, decodeInstant),
    required: decodeNullable(rejection.required, decodeMoney),
  };
}

function decodeAttempt(value: unknown): AttemptReport {
  const attempt = decodeFields(value);
  return {
    number: decodeNumber(attempt.number),
    provider: providerKey(decodeText(attempt.provider)),
    model: decodeText(attempt.model),
    outcome: decodeOneOf(ATTEMPT_OUTCOMES, attempt.outcome),
    httpStatus: decodeNullable(attempt.httpStatus, decodeNumber),
    errorMessage: decodeNullable(attempt.errorMessage, decodeText),
    durationMs: decodeNumber(attempt.durationMs),
    cost: decodeMoney(attempt.cost),
    countedByBreaker: decodeBoolean(attempt.countedByBreaker),
  };
}

function decodeLabels(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(decodeFields(value)).map(([name, label]) => [name, decodeText(label)]));
}
