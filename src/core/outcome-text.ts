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
import { decodeAccount } from './decode-account.ts';
import { decodeDecision } from './decode-decision.ts';
import { providerKey, requestId } from './ids.ts';
import type { ToolCall } from './message.ts';
import type { Answered, ChatOutcome, Cost, RateLimitState, Refusal, Timing, Unanswered } from './outcome.ts';
import { ERROR_CODES } from './outcome.ts';
import { type Answer, FINISH_REASONS } from './prompt.ts';
import { type TokenUsage, USAGE_SOURCES } from './usage.ts';

// How a request ended, as text that can be kept and told again. Whatever version wrote it, for as long as keys are kept another one
// reads it: a field that comes later needs a meaning where it is missing.

/** JSON; money as text, because a JSON number would be rounded. */
export function formatOutcome(outcome: ChatOutcome): string {
  return JSON.stringify(outcome, (_name, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    // JSON would write null for it, which means something else.
    if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`an outcome holds ${value}`);
    return value;
  });
}

/** Throws when the text is not what `formatOutcome` writes. */
export function parseOutcome(text: string): ChatOutcome {
  const value: unknown = JSON.parse(text);
  const fields = decodeFields(value);
  const routing = decodeFields(fields.routing);
  const shared = {
    requestId: requestId(decodeText(fields.requestId)),
    cost: decodeCost(fields.cost),
    timing: decodeTiming(fields.timing),
    routing: decodeDecision(routing, routing.attempts),
  };
  return decodeOneOf(['answered', 'ended'], fields.kind) === 'answered'
    ? { kind: 'answered', ...shared, ...decodeAnswered(fields) }
    : { kind: 'ended', ...shared, why: decodeUnanswered(fields.why) };
}

function decodeAnswered(
  fields: Fields,
): Pick<Answered, 'answer' | 'provider' | 'model' | 'usage' | 'account' | 'warnings' | 'isReplayed'> {
  return {
    answer: decodeAnswer(fields.answer),
    provider: providerKey(decodeText(fields.provider)),
    model: decodeText(fields.model),
    usage: decodeUsage(fields.usage),
    account: decodeNullable(fields.account, decodeAccount),
    warnings: decodeList(fields.warnings, decodeText),
    isReplayed: decodeBoolean(fields.isReplayed),
  };
}

function decodeAnswer(value: unknown): Answer {
  const fields = decodeFields(value);
  return {
    text: decodeNullable(fields.text, decodeText),
    refusal: decodeNullable(fields.refusal, decodeText),
    // Texts of a version that knew neither may still be kept.
    toolCalls: decodeList(fields.toolCalls ?? [], decodeToolCall),
    logprobs: decodeNullable(fields.logprobs ?? null, decodeFields),
    finishReason: decodeOneOf(FINISH_REASONS, fields.finishReason),
    usage: decodeUsage(fields.usage),
    warnings: decodeList(fields.warnings, decodeText),
  };
}

function decodeToolCall(value: unknown): ToolCall {
  const fields = decodeFields(value);
  return { id: decodeText(fields.id), name: decodeText(fields.name), arguments: decodeText(fields.arguments) };
}

export function decodeUsage(value: unknown): TokenUsage {
  const fields = decodeFields(value);
  return {
    inputTokens: decodeNumber(fields.inputTokens),
    cachedInputTokens: decodeNumber(fields.cachedInputTokens),
    outputTokens: decodeNumber(fields.outputTokens),
    reasoningTokens: decodeNumber(fields.reasoningTokens),
    source: decodeOneOf(USAGE_SOURCES, fields.source),
  };
}

export function decodeCost(value: unknown): Cost {
  const fields = decodeFields(value);
  return {
    total: decodeMoney(fields.total),
    input: decodeMoney(fields.input),
    output: decodeMoney(fields.output),
    reserved: decodeMoney(fields.reserved),
    priceListVersion: decodeText(fields.priceListVersion),
  };
}

export function decodeTiming(value: unknown): Timing {
  const fields = decodeFields(value);
  return {
    totalMs: decodeNumber(fields.totalMs),
    timeToFirstTokenMs: decodeNullable(fields.timeToFirstTokenMs, decodeNumber),
    upstreamMs: decodeNumber(fields.upstreamMs),
    overheadMs: decodeNumber(fields.overheadMs),
  };
}

const KINDS = [
  'budgetExceeded',
  'costLimitTooLow',
  'rateLimited',
  'noProviderAvailable',
  'allProvidersFailed',
  'timedOut',
  'cancelled',
] as const satisfies readonly Unanswered['kind'][];

function decodeUnanswered(value: unknown): Unanswered {
  const fields = decodeFields(value);
  const refusal: Refusal = {
    code: decodeOneOf(ERROR_CODES, fields.code),
    message: decodeText(fields.message),
    isRetryable: decodeBoolean(fields.isRetryable),
    retryAfterMs: decodeNullable(fields.retryAfterMs, decodeNumber),
  };
  const kind = decodeOneOf(KINDS, fields.kind);
  switch (kind) {
    case 'budgetExceeded':
      return { kind, ...refusal, account: decodeAccount(fields.account), required: decodeMoney(fields.required) };
    case 'costLimitTooLow':
      return { kind, ...refusal, required: decodeMoney(fields.required) };
    case 'rateLimited':
      return { kind, ...refusal, rateLimit: decodeRateLimit(fields.rateLimit) };
    case 'timedOut':
      return { kind, ...refusal, timeoutMs: decodeNumber(fields.timeoutMs) };
    case 'noProviderAvailable':
    case 'allProvidersFailed':
    case 'cancelled':
      return { kind, ...refusal };
    default:
      return kind satisfies never;
  }
}

function decodeRateLimit(value: unknown): RateLimitState {
  const fields = decodeFields(value);
  return {
    limit: decodeNumber(fields.limit),
    used: decodeNumber(fields.used),
    freeAtMs: decodeNullable(fields.freeAtMs, decodeInstant),
  };
}
