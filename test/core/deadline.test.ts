import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptMs, type Deadline, isOutOfTime, remainingMs } from '../../src/core/deadline.ts';

const RUNS = { numRuns: 2_000 };

const deadline: fc.Arbitrary<Deadline> = fc.record({
  startedAtMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  timeoutMs: fc.integer({ min: 100, max: 600_000 }),
});
/** How far the request has come, in thousandths of its time. */
const progress = fc.integer({ min: 0, max: 1_200 });

function instantIn(of: Deadline, permille: number): number {
  return of.startedAtMs + (of.timeoutMs * permille) / 1_000;
}

test('an attempt is a whole number of milliseconds, at least one, and ends before the time of the request does', () => {
  fc.assert(
    fc.property(deadline, progress, fc.boolean(), (of, permille, isLast) => {
      const nowMs = instantIn(of, permille);
      const ms = attemptMs(of, nowMs, isLast);
      ok(Number.isInteger(ms) && ms >= 1);
      if (!isOutOfTime(of, nowMs)) ok(ms < remainingMs(of, nowMs));
    }),
    RUNS,
  );
});

test('a first attempt that hangs until its end leaves time for another one, and the last one gets all that is left', () => {
  fc.assert(
    fc.property(deadline, (of) => {
      const first = attemptMs(of, of.startedAtMs, false);
      ok(first <= of.timeoutMs / 2);
      const nowMs = of.startedAtMs + first;
      equal(isOutOfTime(of, nowMs), false);
      const reserve = Math.min(500, of.timeoutMs / 10);
      const last = attemptMs(of, nowMs, true);
      ok(Math.abs(last - (of.timeoutMs - first - reserve)) <= 1);
    }),
    RUNS,
  );
});

test('however many attempts hang, no further one begins when the time is up', () => {
  fc.assert(
    fc.property(deadline, (of) => {
      let nowMs = of.startedAtMs;
      let attempts = 0;
      while (!isOutOfTime(of, nowMs)) {
        nowMs += attemptMs(of, nowMs, false);
        attempts += 1;
        ok(attempts <= 10);
      }
      ok(nowMs <= of.startedAtMs + of.timeoutMs);
    }),
    RUNS,
  );
});

test.each([
  [60_000, 30_000, 59_500],
  [2_000, 1_000, 1_800],
  [100, 50, 90],
])('with %i ms in all, a first attempt gets %i ms, an only one %i ms', (timeoutMs, first, only) => {
  const of = { startedAtMs: 7, timeoutMs };
  expect(attemptMs(of, 7, false)).toBe(first);
  expect(attemptMs(of, 7, true)).toBe(only);
});
