import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextPeriodStart, PERIODS, type Period, periodStart } from '../../src/core/period.ts';
import { epochMs } from '../../src/core/time.ts';

const RUNS = { numRuns: 2_000 };

const instant = fc.integer({ min: 0, max: Date.UTC(2399, 11, 31) }).map(epochMs);
const period = fc.constantFrom(...PERIODS);

/** The same boundaries by the calendar of Date. */
function byCalendar(of: Period, at: number): { readonly start: number; readonly next: number } | null {
  const day = new Date(at);
  const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()];
  const monday = date - ((day.getUTCDay() + 6) % 7);
  switch (of) {
    case 'total':
      return null;
    case 'daily':
      return { start: Date.UTC(year, month, date), next: Date.UTC(year, month, date + 1) };
    case 'weekly':
      return { start: Date.UTC(year, month, monday), next: Date.UTC(year, month, monday + 7) };
    case 'monthly':
      return { start: Date.UTC(year, month, 1), next: Date.UTC(year, month + 1, 1) };
    default:
      return of satisfies never;
  }
}

test('periods begin at midnight, on Mondays and on the first, in UTC, as the calendar has them', () => {
  fc.assert(
    fc.property(period, instant, (of, at) => {
      const expected = byCalendar(of, at);
      equal(periodStart(of, at), expected?.start ?? at);
      equal(nextPeriodStart(of, at), expected?.next ?? null);
    }),
    { numRuns: 5_000 },
  );
});

test('every instant lies in exactly one period, and the next one begins where it ends', () => {
  fc.assert(
    fc.property(period, instant, (of, at) => {
      const start = periodStart(of, at);
      const next = nextPeriodStart(of, at);
      if (next === null) return;
      ok(start <= at && at < next);
      equal(periodStart(of, next), next);
      equal(periodStart(of, epochMs(next - 1)), start);
      equal(nextPeriodStart(of, start), next);
    }),
    RUNS,
  );
});

test.each([
  ['daily', '2028-02-28T23:59:59.999Z', '2028-02-29T00:00:00.000Z'],
  ['daily', '2028-02-29T12:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ['daily', '2100-02-28T12:00:00.000Z', '2100-03-01T00:00:00.000Z'],
  ['weekly', '2026-03-01T23:59:59.999Z', '2026-03-02T00:00:00.000Z'],
  ['weekly', '2026-03-02T00:00:00.000Z', '2026-03-09T00:00:00.000Z'],
  ['weekly', '2028-02-29T00:00:00.000Z', '2028-03-06T00:00:00.000Z'],
  ['monthly', '2026-01-31T23:59:59.999Z', '2026-02-01T00:00:00.000Z'],
  ['monthly', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ['monthly', '2026-12-15T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
] as const)('%s: after %s comes %s', (of, at, expected) => {
  const next = nextPeriodStart(of, epochMs(Date.parse(at)));
  expect(new Date(next ?? Number.NaN).toISOString()).toBe(expected);
});

test('a total budget never starts again', () => {
  expect(nextPeriodStart('total', epochMs(0))).toBeNull();
});
