import type { ErrorCode, Refusal } from '../../core/outcome.ts';
import type { DoorCode } from '../../graphql/door-error.ts';
import { type DoorFault, type FaultForm, type HttpCode, secondsOf } from '../answer.ts';
import type { Masked } from '../mask.ts';
import { inRestWords, type RestIssue } from './names.ts';

export type RestCode = ErrorCode | DoorCode | HttpCode;

/** An error, before it is written as clients of OpenAI's API read it. */
export interface RestError {
  readonly status: number;
  readonly code: RestCode;
  readonly message: string;
  /** The field that is at fault. Null: none in particular. */
  readonly param: string | null;
  /** Whether the same request may be sent again. */
  readonly isRetryable: boolean;
  /** Null when nobody knows. */
  readonly retryAfterMs: number | null;
}

/** Chosen by what real clients do with them: see docs/rest.md. */
const STATUSES = {
  INVALID_INPUT: 400,
  COST_LIMIT_TOO_LOW: 400,
  BUDGET_EXCEEDED: 402,
  FEATURE_DISABLED: 403,
  NOT_FOUND: 404,
  IDEMPOTENCY_CONFLICT: 409,
  RATE_LIMITED: 429,
  CANCELLED: 499,
  ALL_PROVIDERS_FAILED: 502,
  NO_PROVIDER_AVAILABLE: 503,
  TIMED_OUT: 504,
} as const satisfies Record<ErrorCode, number>;

const MASKED_STATUSES = {
  CANCELLED: 499,
  INTERNAL: 500,
  STORE_UNAVAILABLE: 503,
  JOURNAL_UNAVAILABLE: 503,
} as const satisfies Record<Masked['code'], number>;

/** The field to change, where the code alone says it. */
const PARAMS: Partial<Record<ErrorCode, string>> = {
  COST_LIMIT_TOO_LOW: 'max_cost_usd',
  IDEMPOTENCY_CONFLICT: 'Idempotency-Key',
};

/** Why a chat has no answer. */
export function errorOfRefusal(refusal: Refusal): RestError {
  const { code, message, isRetryable, retryAfterMs } = refusal;
  const param = PARAMS[code] ?? null;
  return { status: statusOf(refusal), code, message: inRestWords(message), param, isRetryable, retryAfterMs };
}

/** The only failure of providers that must not be sent again is that they find the request itself wrong: a 5xx would be sent again. */
function statusOf({ code, isRetryable }: Refusal): number {
  return code === 'ALL_PROVIDERS_FAILED' && !isRetryable ? STATUSES.INVALID_INPUT : STATUSES[code];
}

/** All problems of a body. */
export function errorOfIssues(issues: readonly RestIssue[]): RestError {
  const message = issues.map((issue) => `${issue.param}: ${issue.message}`).join('; ');
  const param = issues[0]?.param ?? null;
  return { status: 400, code: 'INVALID_INPUT', message, param, isRetryable: false, retryAfterMs: null };
}

export function errorOfFault({ status, code, message, retryAfterMs }: DoorFault): RestError {
  const isRetryable = retryAfterMs !== undefined;
  return { status, code, message, param: null, isRetryable, retryAfterMs: retryAfterMs ?? null };
}

export function errorOfMasked({ code, message, retryAfterMs }: Masked, requestGlobalId: string): RestError {
  const text = code === 'INTERNAL' ? `${message} The log has more under ${requestGlobalId}.` : message;
  const isRetryable = retryAfterMs !== null;
  return { status: MASKED_STATUSES[code], code, message: text, param: null, isRetryable, retryAfterMs };
}

/** The object that is sent, in a body of its own or in a chunk. */
export function errorObjectOf({ status, code, message, param }: RestError) {
  return { message, type: typeOf(status), param, code: code.toLowerCase() };
}

/** `x-should-retry` is obeyed by OpenAI's clients whatever the status; the others go by the status. */
export function errorHeadersOf({ isRetryable, retryAfterMs }: RestError): Readonly<Record<string, string>> {
  return {
    'x-should-retry': String(isRetryable),
    ...(retryAfterMs === null
      ? {}
      : { 'retry-after': secondsOf(retryAfterMs), 'retry-after-ms': String(Math.ceil(retryAfterMs)) }),
  };
}

/** OpenAI's own words. */
function typeOf(status: number): string {
  if (status === 402) return 'insufficient_quota';
  if (status === 429) return 'rate_limit_error';
  if (status === 499) return 'api_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Faults that are found before a body is understood, in the same envelope. */
export const REST_FORM: FaultForm = {
  textOf: (fault) => `${JSON.stringify({ error: errorObjectOf(errorOfFault(fault)) })}\n`,
  headersOf: (fault) => errorHeadersOf(errorOfFault(fault)),
};
