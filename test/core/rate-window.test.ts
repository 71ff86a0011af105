import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  makeRateWindow,
  nextFreeAt,
  RATE_WINDOW,
  type RateWindow,
  takeSlot,
  usedOf,
  withLimit,
} from '../../src/core/rate-window.ts';
import { epochMs } from '../../src/core/time.ts';

const RUNS = { numRuns: 2_000 };
const START = 1_000_000;
const WINDOW_MS = 60_000;

const limit = fc.integer({ min: 1, max: 12 });

/** Gaps between arrivals: bursts, a steady flow, and long silences. */
const gaps = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 70_000 })),
  { maxLength: 80 },
);

interface Traffic {
  readonly window: RateWindow;
  readonly nowMs: number;
  /** When requests were permitted. */
  readonly takenAtMs: readonly number[];
}

/** Lets requests arrive one after the other, and keeps the instants of those that were permitted. */
function arrive(before: Traffic, waits: readonly number[]): Traffic {
  let { window, nowMs } = before;
  const takenAtMs = [...before.takenAtMs];
  for (const wait of waits) {
    nowMs += wait;
    const take = takeSlot(window, epochMs(nowMs));
    if (take.kind === 'taken') {
      window = take.window;
      takenAtMs.push(nowMs);
    }
  }
  return { window, nowMs, takenAtMs };
}

function idle(window: RateWindow): Traffic {
  return { window, nowMs: START, takenAtMs: [] };
}

/** Permits in the 60 s that end with an instant, both ends included. */
function countUntil(takenAtMs: readonly number[], untilMs: number): number {
  return takenAtMs.filter((instant) => instant >= untilMs - WINDOW_MS && instant <= untilMs).length;
}

describe('no 60 s window', () => {
  test('ever holds more than the limit, whatever the arrivals', () => {
    fc.assert(
      fc.property(limit, gaps, (most, waits) => {
        const { takenAtMs } = arrive(idle(makeRateWindow(most)), waits);
        // A window that holds the most ends with a permit.
        for (const instant of takenAtMs) ok(countUntil(takenAtMs, instant) <= most);
      }),
      RUNS,
    );
  });

  test('holds more than the limit of the moment, however often that is lowered and raised', () => {
    const changes = fc.array(fc.tuple(limit, gaps), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(limit, gaps, changes, (first, waits, then) => {
        let traffic = arrive(idle(makeRateWindow(first)), waits);
        for (const [next, more] of then) {
          const before = traffic.takenAtMs.length;
          traffic = arrive({ ...traffic, window: withLimit(traffic.window, next, epochMs(traffic.nowMs)) }, more);
          for (const instant of traffic.takenAtMs.slice(before)) ok(countUntil(traffic.takenAtMs, instant) <= next);
        }
      }),
      RUNS,
    );
  });
});

describe('under saturation', () => {
  test('at least 99 % of the limit is used: any `limit` permits in a row take at most 60.6 s', () => {
    // Whoever is refused comes back up to 0.2 s after the instant that was named.
    const lateness = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 60, maxLength: 120 });
    fc.assert(
      fc.property(limit, lateness, (most, lateMs) => {
        let traffic = idle(makeRateWindow(most));
        for (const late of lateMs) {
          const freeAtMs = nextFreeAt(traffic.window, epochMs(traffic.nowMs));
          traffic = arrive(traffic, [freeAtMs === null ? 0 : freeAtMs - traffic.nowMs + late]);
        }
        const { takenAtMs } = traffic;
        equal(takenAtMs.length, lateMs.length);
        for (let place = most; place < takenAtMs.length; place += 1) {
          ok(takenAtMs[place]! - takenAtMs[place - most]! <= WINDOW_MS / 0.99);
        }
      }),
      RUNS,
    );
  });
});

describe('a refusal', () => {
  test('names the exact instant: taken then, and refused a millisecond before', () => {
    fc.assert(
      fc.property(limit, gaps, (most, waits) => {
        const { window, nowMs } = arrive(idle(makeRateWindow(most)), [...waits, ...Array(most).fill(0)]);
        const refused = takeSlot(window, epochMs(nowMs));
        ok(refused.kind === 'full');
        ok(refused.freeAtMs > nowMs);
        equal(takeSlot(window, epochMs(refused.freeAtMs - 1)).kind, 'full');
        equal(takeSlot(window, refused.freeAtMs).kind, 'taken');
      }),
      RUNS,
    );
  });

  test('takes nothing: refused requests do not count', () => {
    fc.assert(
      fc.property(limit, fc.nat(20), (most, refused) => {
        const full = arrive(idle(makeRateWindow(most)), Array(most).fill(0));
        const knocked = arrive(full, Array(refused).fill(1));
        deepEqual(knocked.window, full.window);
        deepEqual(knocked.takenAtMs, full.takenAtMs);
      }),
      RUNS,
    );
  });
});

test('a slot is kept for 60.25 s: a fixed window would allow twice the limit around its end', () => {
  const { window } = arrive(idle(makeRateWindow(2)), [0, 59_999]);
  expect(RATE_WINDOW.slotMs).toBe(60_250);
  expect(takeSlot(window, epochMs(START + 60_249))).toEqual({ kind: 'full', freeAtMs: START + 60_250 });
  const third = takeSlot(window, epochMs(START + 60_250));
  expect(third.kind).toBe('taken');
  expect(takeSlot(third.kind === 'taken' ? third.window : window, epochMs(START + 60_250))).toEqual({
    kind: 'full',
    freeAtMs: START + 59_999 + 60_250,
  });
});

test('asking changes nothing and counts what is taken now', () => {
  const { window, nowMs } = arrive(idle(makeRateWindow(3)), [0, 10, 10]);
  expect(usedOf(window, epochMs(nowMs))).toBe(3);
  expect(nextFreeAt(window, epochMs(nowMs))).toBe(START + 60_250);
  expect(usedOf(window, epochMs(START + 60_250))).toBe(2);
  expect(nextFreeAt(window, epochMs(START + 60_250))).toBeNull();
});

test('a window keeps its slots in order and never more than its limit, even when the clock is set back', () => {
  const steps = fc.array(fc.integer({ min: -5_000, max: 40_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(limit, steps, (most, waits) => {
      const { freeAtMs } = arrive(idle(makeRateWindow(most)), waits).window;
      ok(freeAtMs.length <= most);
      deepEqual(
        freeAtMs,
        freeAtMs.toSorted((one, other) => one - other),
      );
    }),
    RUNS,
  );
});
