import { describe, expect, test } from 'vitest';
import { FAILURE_KINDS, FAILURE_POLICY, type Failure, type FailureKind } from '../../src/core/failure.ts';
import { STANDING_OF_SUCCESS, standingOf } from '../../src/core/verdict.ts';

function failure(kind: FailureKind, retryAfterMs: number | null = null): Failure {
  return { kind, message: `it was ${kind}`, httpStatus: null, retryAfterMs, billed: 'nothing', isSimulated: false };
}

describe('what an attempt tells the breaker', () => {
  test.each([
    ['providerError', 'failure'],
    ['timedOut', 'failure'],
    ['networkError', 'failure'],
    ['invalidResponse', 'failure'],
    ['throttled', 'neutral'],
    ['rejected', 'neutral'],
    ['misconfigured', 'neutral'],
    ['cancelled', 'neutral'],
  ] as const)('%s is %s', (kind, verdict) => {
    expect(standingOf(failure(kind, 7)).verdict.kind).toBe(verdict);
  });

  test('a success is a success', () => {
    expect(STANDING_OF_SUCCESS).toEqual({ verdict: { kind: 'success' }, throttledForMs: null, setAside: null });
  });

  test('a counted failure carries what the breaker needs: Retry-After, and whether it was simulated', () => {
    const told = standingOf({ ...failure('providerError', 90_000), isSimulated: true });
    expect(told.verdict).toEqual({ kind: 'failure', retryAfterMs: 90_000, isSimulated: true });
  });

  test.each(['throttled', 'providerError'] as const)(
    '%s: a provider that says how long to wait is left alone that long, and for at most 10 minutes',
    (kind) => {
      expect(standingOf(failure(kind, 5_000)).throttledForMs).toBe(5_000);
      expect(standingOf(failure(kind, 86_400_000)).throttledForMs).toBe(600_000);
      expect(standingOf(failure(kind)).throttledForMs).toBeNull();
    },
  );

  test("neither the request's own faults nor the caller's leaving throttle anybody", () => {
    for (const kind of ['rejected', 'notServed', 'misconfigured', 'cancelled'] as const) {
      expect(standingOf(failure(kind, 5_000)).throttledForMs, kind).toBeNull();
    }
  });

  test('only refused credentials set aside, with what the provider said', () => {
    expect(standingOf(failure('misconfigured')).setAside).toBe('it was misconfigured');
    const others = FAILURE_KINDS.filter((kind) => kind !== 'misconfigured');
    for (const kind of others) expect(standingOf(failure(kind)).setAside, kind).toBeNull();
  });
});

test("the request's own faults and a caller who left are not tried elsewhere; everything else is", () => {
  const stops = FAILURE_KINDS.filter((kind) => !FAILURE_POLICY[kind].tryNext);
  expect(stops).toEqual(['rejected', 'cancelled']);
  expect(FAILURE_KINDS.filter((kind) => !FAILURE_POLICY[kind].isRetryable)).toEqual(stops);
});
