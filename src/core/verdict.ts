import type { Verdict } from './breaker.ts';
import { FAILURE_POLICY, type Failure } from './failure.ts';
import { THROTTLE_MS_MAX } from './provider-state.ts';

/** What an attempt tells the store about its provider, besides the money. */
export interface Standing {
  readonly verdict: Verdict;
  /** Null unless the provider said how long to wait. */
  readonly throttledForMs: number | null;
  /** What it said when it refused our credentials. Null when it did not. */
  readonly setAside: string | null;
}

/** A usable answer, however late. */
export const STANDING_OF_SUCCESS: Standing = { verdict: { kind: 'success' }, throttledForMs: null, setAside: null };

/**
 * Nothing can be said of the provider: it was never asked, had no fair chance to answer, or the news comes when its hold has
 * expired. The money is put right all the same.
 */
export const NO_STANDING: Standing = { verdict: { kind: 'neutral' }, throttledForMs: null, setAside: null };

/** How a failure counts, by the one failure table. */
export function standingOf(failure: Failure): Standing {
  const policy = FAILURE_POLICY[failure.kind].breaker;
  switch (policy) {
    case 'failure': {
      const { retryAfterMs, isSimulated } = failure;
      // A 503 may say when to come back. That is respected from the first one on; the breaker opens at the third.
      const throttledForMs = throttleOf(failure);
      return { verdict: { kind: 'failure', retryAfterMs, isSimulated }, throttledForMs, setAside: null };
    }
    case 'neutral':
      return { verdict: { kind: 'neutral' }, throttledForMs: null, setAside: null };
    case 'throttled':
      return { verdict: { kind: 'neutral' }, throttledForMs: throttleOf(failure), setAside: null };
    case 'misconfigured':
      return { verdict: { kind: 'neutral' }, throttledForMs: null, setAside: failure.message };
    default:
      return policy satisfies never;
  }
}

function throttleOf({ retryAfterMs }: Failure): number | null {
  return retryAfterMs === null ? null : Math.min(retryAfterMs, THROTTLE_MS_MAX);
}
