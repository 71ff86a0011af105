import type { Deadline } from './deadline.ts';
import { FAILURE_POLICY, type Failure } from './failure.ts';
import type { IdempotencyConflict, Unanswered } from './outcome.ts';

/** The caller left, or had it stopped. */
export function cancelled(): Extract<Unanswered, { readonly kind: 'cancelled' }> {
  return {
    kind: 'cancelled',
    code: 'CANCELLED',
    message: 'It was stopped before an answer was complete, or its caller went away. What was begun is paid for.',
    isRetryable: false,
    retryAfterMs: null,
  };
}

/** The one time limit of the request passed. */
export function timedOut(deadline: Deadline): Extract<Unanswered, { readonly kind: 'timedOut' }> {
  return {
    kind: 'timedOut',
    code: 'TIMED_OUT',
    message: `No answer was complete within ${deadline.timeoutMs} ms. Try again, or allow more with timeoutMs.`,
    isRetryable: true,
    retryAfterMs: null,
    timeoutMs: deadline.timeoutMs,
  };
}

/** Every attempt failed; `failures` in the order of the attempts, at least one. */
export function allProvidersFailed(failures: readonly Failure[]): Unanswered {
  const last = failures.at(-1);
  if (last === undefined) throw new RangeError('without a failure nothing has failed');
  const isRetryable = FAILURE_POLICY[last.kind].isRetryable;
  const waits = failures.flatMap((failure) => failure.retryAfterMs ?? []);
  const what =
    last.kind === 'rejected'
      ? 'The provider says the request itself is wrong, so no other was asked. Correct it'
      : `Every attempted provider failed (${failures.length} attempts). Try again later`;
  return {
    kind: 'allProvidersFailed',
    code: 'ALL_PROVIDERS_FAILED',
    message: `${what}; routing.attempts says how each ended. Last: ${last.message}`,
    isRetryable,
    retryAfterMs: isRetryable && waits.length > 0 ? Math.min(...waits) : null,
  };
}

/** The key was used before, for something else. */
export function idempotencyConflict(): IdempotencyConflict {
  return {
    kind: 'idempotencyConflict',
    code: 'IDEMPOTENCY_CONFLICT',
    message:
      'This idempotencyKey was already used with different input. Send a new key with a new request, and the same key only with the same input.',
    isRetryable: false,
    retryAfterMs: null,
  };
}
