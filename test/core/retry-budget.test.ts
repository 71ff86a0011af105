import { ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FULL_RETRY_BUDGET,
  hasToken,
  RETRY_BUDGET,
  type RetryBudget,
  withoutToken,
  withSuccess,
  withTime,
  withToken,
} from '../../src/core/retry-budget.ts';

const PARTS_MAX = RETRY_BUDGET.tokensMax * RETRY_BUDGET.msPerToken;

function times(count: number, act: (budget: RetryBudget) => RetryBudget, budget: RetryBudget): RetryBudget {
  return count === 0 ? budget : times(count - 1, act, act(budget));
}

test('a full budget lets ten retries fail, and no eleventh', () => {
  const spent = times(RETRY_BUDGET.tokensMax, withoutToken, FULL_RETRY_BUDGET);
  expect(hasToken(spent)).toBe(false);
  expect(() => withoutToken(spent)).toThrow(RangeError);
});

test('ten successes earn one retry, nine do not', () => {
  const spent = times(RETRY_BUDGET.tokensMax, withoutToken, FULL_RETRY_BUDGET);
  expect(hasToken(times(9, withSuccess, spent))).toBe(false);
  expect(hasToken(times(10, withSuccess, spent))).toBe(true);
});

test('a minute earns one retry without any success, and an hour no more than a full budget', () => {
  const spent = times(RETRY_BUDGET.tokensMax, withoutToken, FULL_RETRY_BUDGET);
  expect(hasToken(withTime(spent, 59_999))).toBe(false);
  expect(hasToken(withTime(spent, 60_000))).toBe(true);
  expect(withTime(spent, 3_600_000)).toEqual(FULL_RETRY_BUDGET);
});

test('whatever happens: never more than full, never less than nothing, and failed retries ≤ 10 + successes / 10', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('fail', 'succeed', 'first')), (fates) => {
      let budget = FULL_RETRY_BUDGET;
      let failed = 0;
      let successes = 0;
      for (const fate of fates) {
        if (fate === 'first') budget = withSuccess(budget);
        else if (hasToken(budget)) budget = withoutToken(budget);
        else continue;
        if (fate === 'succeed') budget = withToken(withSuccess(budget));
        if (fate === 'fail') failed += 1;
        else successes += 1;
        ok(budget.parts >= 0 && budget.parts <= PARTS_MAX && Number.isInteger(budget.parts));
        ok(failed <= RETRY_BUDGET.tokensMax + successes / RETRY_BUDGET.successesPerToken);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a retry that succeeds leaves no less than it found', () => {
  fc.assert(
    fc.property(fc.integer({ min: RETRY_BUDGET.msPerToken, max: PARTS_MAX }), (parts) => {
      ok(withToken(withSuccess(withoutToken({ parts }))).parts >= parts);
    }),
  );
});
