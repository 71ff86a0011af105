/** How one attempt failed. Named once, where it enters (`providers/`); everything later reads FAILURE_POLICY. */
export const FAILURE_KINDS = [
  'providerError',
  'throttled',
  'timedOut',
  'networkError',
  'rejected',
  'misconfigured',
  'notServed',
  'invalidResponse',
  'cancelled',
] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number];

export interface Failure {
  readonly kind: FailureKind;
  /** For a person; secrets removed, at most 500 characters. */
  readonly message: string;
  /** Null when no HTTP answer came. */
  readonly httpStatus: number | null;
  /** From Retry-After or x-ratelimit-reset. Null when the provider gave none. */
  readonly retryAfterMs: number | null;
  /** `nothing` only with evidence (no byte left, or a refusal that is never billed); otherwise the money may be gone. */
  readonly billed: 'nothing' | 'unknown';
  /** True when a simulated failure was injected. */
  readonly isSimulated: boolean;
}

interface FailurePolicy {
  /** What the breaker is told. */
  readonly breaker: 'failure' | 'neutral' | 'throttled' | 'misconfigured';
  /** Whether another candidate may be tried. */
  readonly tryNext: boolean;
  /** Whether the caller may send the same request again. */
  readonly isRetryable: boolean;
}

/** Counted are connection errors, 5xx, our timeouts and nonsense; the request's own faults and the caller's leaving are not. */
export const FAILURE_POLICY = {
  providerError: { breaker: 'failure', tryNext: true, isRetryable: true },
  throttled: { breaker: 'throttled', tryNext: true, isRetryable: true },
  timedOut: { breaker: 'failure', tryNext: true, isRetryable: true },
  networkError: { breaker: 'failure', tryNext: true, isRetryable: true },
  rejected: { breaker: 'neutral', tryNext: false, isRetryable: false },
  misconfigured: { breaker: 'misconfigured', tryNext: true, isRetryable: true },
  // The registry names a model that the provider does not have: not the caller's fault, and no reason to leave its other models out.
  notServed: { breaker: 'neutral', tryNext: true, isRetryable: true },
  invalidResponse: { breaker: 'failure', tryNext: true, isRetryable: true },
  cancelled: { breaker: 'neutral', tryNext: false, isRetryable: false },
} as const satisfies Record<FailureKind, FailurePolicy>;

/** The reason an attempt's signal is aborted with, so that an adapter can tell our deadline from a caller who left. */
export class AttemptAborted extends Error {
  override readonly cause: 'timedOut' | 'cancelled';

  constructor(cause: 'timedOut' | 'cancelled') {
    super(cause === 'timedOut' ? 'the time limit passed' : 'the caller went away');
    this.cause = cause;
  }
}

/** The failure of an attempt whose signal aborted: our time limit, or the caller who left. */
export function abortFailure(signal: AbortSignal, facts: Pick<Failure, 'billed'>): Failure {
  const { reason } = signal;
  const isTimeout = reason instanceof AttemptAborted ? reason.cause === 'timedOut' : isTimeoutError(reason);
  return {
    kind: isTimeout ? 'timedOut' : 'cancelled',
    message: isTimeout ? 'No complete answer before the time limit.' : 'The caller went away before the answer.',
    httpStatus: null,
    retryAfterMs: null,
    billed: facts.billed,
    isSimulated: false,
  };
}

function isTimeoutError(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
