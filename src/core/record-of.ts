import type { Unanswered } from './outcome.ts';
import type { RecordedError, RequestStatus } from './request-record.ts';

/** How the log names an ending without an answer. */
export function statusOf(why: Unanswered): RequestStatus {
  switch (why.kind) {
    case 'budgetExceeded':
    case 'costLimitTooLow':
    case 'rateLimited':
    case 'noProviderAvailable':
      return 'refused';
    case 'allProvidersFailed':
    case 'timedOut':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
    default:
      return why satisfies never;
  }
}

/** What the log keeps of an ending without an answer. */
export function recordedErrorOf(why: Unanswered): RecordedError {
  return {
    code: why.code,
    message: why.message,
    isRetryable: why.isRetryable,
    retryAfterMs: why.retryAfterMs,
    required: why.kind === 'budgetExceeded' || why.kind === 'costLimitTooLow' ? why.required : null,
    timeoutMs: why.kind === 'timedOut' ? why.timeoutMs : null,
  };
}
