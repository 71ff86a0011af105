import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnalyticsReport, NO_VALUE } from '../../src/core/analytics.ts';
import { providerKey } from '../../src/core/ids.ts';
import { NO_METRICS } from '../../src/core/metric-set.ts';
import { picoUsd } from '../../src/core/money.ts';
import { nextTickMs, paceFor, TICK_LIMITS, tickOf } from '../../src/core/tick.ts';
import { epochMs } from '../../src/core/time.ts';

const WINDOW = { fromMs: epochMs(0), toMs: epochMs(60_000) };

function reportOf(...groups: readonly (readonly [key: string, requests: number])[]): AnalyticsReport {
  return {
    totals: { ...NO_METRICS, cost: picoUsd(7n) },
    groups: groups.map(([key, requests]) => ({ keys: [key], metrics: { ...NO_METRICS, requests } })),
    series: [],
    freshUntilMs: WINDOW.toMs,
  };
}

test('the next tick is in the future, less than a step away, and a whole number of steps from the first', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: TICK_LIMITS.everyMsMin, max: TICK_LIMITS.everyMsMax }),
      fc.nat(10_000_000),
      fc.nat(10_000_000),
      (everyMs, firstMs, afterMs) => {
        const nowMs = firstMs + afterMs;
        const nextMs = nextTickMs({ everyMs }, { firstMs, nowMs });
        ok(nextMs > nowMs && nextMs <= nowMs + everyMs);
        equal((nextMs - firstMs) % everyMs, 0);
      },
    ),
  );
});

test('every provider of the registry has its numbers, in its order; then those the log still knows, and nobody else', () => {
  const registered = ['b', 'a'].map(providerKey);
  const report = reportOf(['a', 5], [NO_VALUE, 3], ['gone', 2], ['other', 1]);
  const tick = tickOf({ window: WINDOW, report, registered, inFlight: 4 });
  expect(tick.providers.map(({ provider, metrics }) => [provider, metrics.requests])).toEqual([
    ['b', 0],
    ['a', 5],
    ['gone', 2],
  ]);
  expect(tick).toMatchObject({ atMs: WINDOW.toMs, inFlight: 4, burnPerHour: 420n });
});

test('a pace is taken to the next longer steps, which are few and stay as they are', () => {
  const { everyMsMin, everyMsMax, windowMsMin, windowMsMax } = TICK_LIMITS;
  const given = new Set<string>();
  fc.assert(
    fc.property(
      fc.integer({ min: everyMsMin, max: everyMsMax }),
      fc.integer({ min: windowMsMin, max: windowMsMax }),
      (everyMs, windowMs) => {
        const pace = paceFor({ everyMs, windowMs });
        ok(pace.everyMs >= everyMs && pace.windowMs >= windowMs);
        // Nothing is stretched more than tenfold.
        ok(pace.everyMs < everyMs * 10 && pace.windowMs < windowMs * 10);
        expect(paceFor(pace)).toEqual(pace);
        given.add(JSON.stringify(pace));
      },
    ),
    { numRuns: 2_000 },
  );
  ok(given.size <= 48);
  for (const usual of [
    { everyMs: 1_000, windowMs: 60_000 },
    { everyMs: 250, windowMs: 3_600_000 },
  ]) {
    expect(paceFor(usual)).toEqual(usual);
  }
});

test('a pace beyond the limits is a bug of whoever let it in', () => {
  expect(() => paceFor({ everyMs: 249, windowMs: 60_000 })).toThrow('249 ms');
  expect(() => paceFor({ everyMs: Number.NaN, windowMs: 60_000 })).toThrow(RangeError);
  expect(() => paceFor({ everyMs: 250, windowMs: 3_600_001 })).toThrow('3600001 ms');
  expect(() => paceFor({ everyMs: 250, windowMs: 999 })).toThrow('999 ms');
});
