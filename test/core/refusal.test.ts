import { describe, expect, test } from 'vitest';
import { type Account, makeAccount } from '../../src/core/account.ts';
import type { CandidateReport, Rejection, RejectionReason } from '../../src/core/decision.ts';
import { allProvidersFailed, cancelled, timedOut } from '../../src/core/ended.ts';
import { FAILURE_KINDS, type Failure } from '../../src/core/failure.ts';
import { providerKey, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import type { Means } from '../../src/core/paying.ts';
import { type NobodyTook, whyNobody } from '../../src/core/refusal.ts';
import { epochMs } from '../../src/core/time.ts';

const NOW = epochMs(1_000_000);
const ACCOUNT: Account = { ...makeAccount(userAccount('ann'), NOW), posted: picoUsd(900n) };

function rejected(
  provider: string,
  reason: RejectionReason,
  more: Partial<Pick<Rejection, 'required'>> & { readonly inMs?: number } = {},
): CandidateReport {
  const { inMs, required = null } = more;
  return {
    provider: providerKey(provider),
    model: 'm',
    rank: null,
    score: null,
    scoreTerms: [],
    rejection: { reason, detail: 'because', untilMs: inMs === undefined ? null : epochMs(NOW + inMs), required },
    estimatedCost: ZERO_USD,
    estimatedLatencyMs: 1,
  };
}

function meansWith(available: PicoUsd, held: PicoUsd): Means {
  return [{ account: { ...ACCOUNT, held }, available }];
}

function why(candidates: readonly CandidateReport[], more: Partial<NobodyTook> = {}) {
  return whyNobody({
    rejected: candidates,
    means: meansWith(picoUsd(100n), ZERO_USD),
    nowMs: NOW,
    rateLimitOf: ({ provider }) => ({ limit: provider.length, used: 7, freeAtMs: null }),
    ...more,
  });
}

describe('budgetExceeded', () => {
  const dear = [
    rejected('a', 'overBudget', { required: picoUsd(500n) }),
    rejected('b', 'overBudget', { required: picoUsd(300n) }),
  ];

  test('names the cheapest choice that would have been possible, and is not to be retried', () => {
    expect(why(dear)).toMatchObject({
      kind: 'budgetExceeded',
      code: 'BUDGET_EXCEEDED',
      required: 300n,
      account: ACCOUNT,
      isRetryable: false,
      retryAfterMs: null,
    });
  });

  test('is named when no waiting helps: the others are not coming back, or would be too dear as well', () => {
    const later = { inMs: 5, required: picoUsd(250n) };
    const candidates = [...dear, rejected('c', 'disabled'), rejected('d', 'rateLimited', later)];
    expect(why(candidates)).toMatchObject({ kind: 'budgetExceeded', required: 250n, isRetryable: false });
    expect(why([rejected('d', 'breakerOpen', later)])).toMatchObject({ kind: 'budgetExceeded', required: 250n });
  });

  test('is not named when waiting for an affordable provider helps: then that is what the caller is told', () => {
    const limited = rejected('c', 'rateLimited', { inMs: 7_000, required: picoUsd(100n) });
    const broken = rejected('d', 'breakerOpen', { inMs: 5_000, required: picoUsd(100n) });
    expect(why([...dear, limited])).toMatchObject({
      kind: 'rateLimited',
      isRetryable: true,
      retryAfterMs: 7_000,
      message: 'Every provider that fits into the budget has used up its rate limit. Try again in 7000 ms.',
    });
    expect(why([...dear, limited, broken])).toMatchObject({ kind: 'noProviderAvailable', retryAfterMs: 5_000 });
  });

  test('is named with its own wait when held money may come back before any provider does', () => {
    const means = meansWith(picoUsd(100n), picoUsd(200n));
    const limited = (inMs: number) => rejected('c', 'rateLimited', { inMs, required: picoUsd(100n) });
    expect(why([...dear, limited(1_001)], { means })).toMatchObject({ kind: 'budgetExceeded', retryAfterMs: 1_000 });
    expect(why([...dear, limited(1_000)], { means })).toMatchObject({ kind: 'rateLimited', retryAfterMs: 1_000 });
  });

  test('is worth a retry when only held money is missing: it may come back', () => {
    const means = meansWith(picoUsd(100n), picoUsd(200n));
    const answer = why(dear, { means });
    expect(answer).toMatchObject({ kind: 'budgetExceeded', isRetryable: true, retryAfterMs: 1_000 });
    expect(answer.message).toContain('0.0000000002 USD is reserved');
  });

  test('is not worth a retry when even the held money would not be enough', () => {
    const means = meansWith(picoUsd(100n), picoUsd(199n));
    expect(why(dear, { means })).toMatchObject({ kind: 'budgetExceeded', isRetryable: false });
  });
});

describe('costLimitTooLow', () => {
  const over = rejected('a', 'overCostLimit', { required: picoUsd(50n) });

  test("when the caller's own limit is all that stands in the way, with the least that would do", () => {
    const other = rejected('b', 'overCostLimit', { required: picoUsd(40n) });
    expect(why([over, other, rejected('c', 'excluded')])).toMatchObject({
      kind: 'costLimitTooLow',
      code: 'COST_LIMIT_TOO_LOW',
      required: 40n,
      isRetryable: false,
    });
  });

  test('not when another provider could answer within the limit later', () => {
    expect(why([over, rejected('b', 'breakerOpen', { inMs: 5_000 })]).kind).toBe('noProviderAvailable');
  });
});

describe('rateLimited', () => {
  test('when limits alone stand in the way: with when the first is free, and its limit', () => {
    const limits = [rejected('slow', 'rateLimited', { inMs: 9_000 }), rejected('soon', 'rateLimited', { inMs: 4_000 })];
    expect(why([...limits, rejected('c', 'missingCapability')])).toMatchObject({
      kind: 'rateLimited',
      code: 'RATE_LIMITED',
      isRetryable: true,
      retryAfterMs: 4_000,
      rateLimit: { limit: 'soon'.length, used: 7 },
    });
  });

  test('candidates that are too dear for the caller do not hide it', () => {
    const candidates = [
      rejected('a', 'overCostLimit', { required: picoUsd(5n) }),
      rejected('b', 'rateLimited', { inMs: 10 }),
    ];
    expect(why(candidates).kind).toBe('rateLimited');
  });

  test('a limit that has just ended still asks for a wait of at least a millisecond', () => {
    expect(why([rejected('a', 'rateLimited', { inMs: -3 })]).retryAfterMs).toBe(1);
  });
});

describe('noProviderAvailable', () => {
  test('when breakers and limits stand in the way: with when the first may be back', () => {
    const candidates = [rejected('a', 'breakerOpen', { inMs: 30_000 }), rejected('b', 'rateLimited', { inMs: 45_000 })];
    expect(why(candidates)).toMatchObject({
      kind: 'noProviderAvailable',
      code: 'NO_PROVIDER_AVAILABLE',
      isRetryable: true,
      retryAfterMs: 30_000,
    });
  });

  test('is not to be retried when no waiting helps', () => {
    const lasting = (['excluded', 'missingCapability', 'contextTooLong', 'overMaxPrice', 'tooSlow'] as const).map(
      (reason, index) => rejected(String(index), reason, { inMs: 5 }),
    );
    const answer = why([...lasting, rejected('off', 'disabled')]);
    expect(answer).toMatchObject({ kind: 'noProviderAvailable', isRetryable: false, retryAfterMs: null });
    expect(answer.message).toContain('Loosen the routing preferences');
    expect(why([]).kind).toBe('noProviderAvailable');
  });
});

test('a candidate that nobody rejected cannot explain a refusal: that is a bug, and is thrown', () => {
  expect(() => why([{ ...rejected('a', 'excluded'), rejection: null }])).toThrow(RangeError);
});

describe('after attempts', () => {
  const failure = (changes: Partial<Failure>): Failure => ({
    kind: 'providerError',
    message: 'HTTP 500',
    httpStatus: 500,
    retryAfterMs: null,
    billed: 'nothing',
    isSimulated: false,
    ...changes,
  });

  test('the last failure decides whether to retry, and the shortest wait of all is told', () => {
    const failures = [
      failure({ retryAfterMs: 9_000 }),
      failure({ kind: 'throttled', retryAfterMs: 3_000 }),
      failure({}),
    ];
    expect(allProvidersFailed(failures)).toMatchObject({
      kind: 'allProvidersFailed',
      isRetryable: true,
      retryAfterMs: 3_000,
    });
  });

  test('a request that the provider calls wrong is not to be sent again', () => {
    const answer = allProvidersFailed([failure({ kind: 'rejected', message: 'HTTP 400: no', retryAfterMs: 5 })]);
    expect(answer).toMatchObject({ isRetryable: false, retryAfterMs: null });
    expect(answer.message).toContain('the request itself is wrong');
    expect(answer.message).toContain('HTTP 400: no');
  });

  test('every kind of failure has an ending, and none is a bug', () => {
    for (const kind of FAILURE_KINDS) expect(allProvidersFailed([failure({ kind })]).code).toBe('ALL_PROVIDERS_FAILED');
    expect(() => allProvidersFailed([])).toThrow(RangeError);
  });

  test('time that ran out may be tried again; a caller who left is not told to', () => {
    expect(timedOut({ startedAtMs: 0, timeoutMs: 1_500 })).toMatchObject({
      code: 'TIMED_OUT',
      timeoutMs: 1_500,
      isRetryable: true,
    });
    expect(cancelled()).toMatchObject({ code: 'CANCELLED', isRetryable: false });
  });
});
