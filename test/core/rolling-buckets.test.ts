import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  answerTo,
  type CallerEntry,
  type LineUse,
  UNUSED,
  withEntry,
  withLeave,
} from '../../src/core/caller-limits.ts';
import { apiKeyId, requestId } from '../../src/core/ids.ts';
import { usedAt, withGivenBack, withUsed } from '../../src/core/rolling-buckets.ts';
import { epochMs } from '../../src/core/time.ts';

const RUNS = { numRuns: 1_000 };
const START = 1_795_000_000_037;
const WINDOW_MS = 60_000;

const limit = fc.integer({ min: 1, max: 12 });

/** Gaps between arrivals: bursts, a steady flow, and long silences. */
const gaps = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 70_000 })),
  { maxLength: 80 },
);

function entryOf(number: number, limits: Partial<CallerEntry['limits']>, tokens = 1): CallerEntry {
  return {
    line: apiKeyId('line'),
    requestId: requestId(String(number)),
    limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null, ...limits },
    tokens,
    leaseMs: 90_000,
  };
}

interface Traffic {
  readonly use: LineUse;
  readonly nowMs: number;
  /** When requests entered, and with how many tokens. */
  readonly entered: readonly { readonly atMs: number; readonly tokens: number }[];
}

/** Lets requests arrive one after the other, and keeps those that entered. */
function arrive(
  limits: Partial<CallerEntry['limits']>,
  waits: readonly number[],
  tokens: (at: number) => number,
): Traffic {
  let use = UNUSED;
  let nowMs = START;
  const entered: { atMs: number; tokens: number }[] = [];
  for (const [at, wait] of waits.entries()) {
    nowMs += wait;
    const entry = entryOf(at, limits, tokens(at));
    if (answerTo(use, entry, epochMs(nowMs)).kind === 'limited') continue;
    use = withEntry(use, entry, epochMs(nowMs));
    entered.push({ atMs: nowMs, tokens: entry.tokens });
  }
  return { use, nowMs, entered };
}

/** What entered in the 60 s that end with an instant, both ends included. */
function within({ entered }: Traffic, untilMs: number) {
  return entered.filter(({ atMs }) => atMs >= untilMs - WINDOW_MS && atMs <= untilMs);
}

describe('no 60 s window', () => {
  test('ever holds more requests than the limit, whatever the arrivals', () => {
    fc.assert(
      fc.property(limit, gaps, (requestsPerMinute, waits) => {
        const traffic = arrive({ requestsPerMinute }, waits, () => 1);
        // A window that holds the most ends with an entry.
        for (const { atMs } of traffic.entered) ok(within(traffic, atMs).length <= requestsPerMinute);
      }),
      RUNS,
    );
  });

  test('ever holds more estimated tokens than the limit, whatever their sizes', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 80, maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 100 }), gaps, sizes, (tokensPerMinute, waits, tokens) => {
        const traffic = arrive({ tokensPerMinute }, waits, (at) => tokens[at] ?? 1);
        for (const { atMs } of traffic.entered) {
          ok(within(traffic, atMs).reduce((sum, one) => sum + one.tokens, 0) <= tokensPerMinute);
        }
      }),
      RUNS,
    );
  });
});

test('under saturation at least 99 % of a limit is used: whoever comes back when told to enters', () => {
  fc.assert(
    fc.property(limit, (requestsPerMinute) => {
      let use = UNUSED;
      let nowMs = START;
      const enteredAtMs: number[] = [];
      for (let number = 0; number < 60; number += 1) {
        const entry = entryOf(number, { requestsPerMinute });
        const answer = answerTo(use, entry, epochMs(nowMs));
        if (answer.kind === 'limited') nowMs += answer.retryAfterMs;
        use = withEntry(use, entry, epochMs(nowMs));
        enteredAtMs.push(nowMs);
      }
      for (let place = requestsPerMinute; place < enteredAtMs.length; place += 1) {
        ok(enteredAtMs[place]! - enteredAtMs[place - requestsPerMinute]! <= WINDOW_MS / 0.99);
      }
    }),
    RUNS,
  );
});

test('a refusal names the exact instant: let in then, and refused a millisecond before', () => {
  const wanted = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(limit, gaps, wanted, (requestsPerMinute, waits, tokens) => {
      const limits = { requestsPerMinute, tokensPerMinute: 30 };
      const { use, nowMs } = arrive(limits, waits, (at) => 1 + (at % 9));
      const entry = entryOf(1_000, limits, tokens);
      const refused = answerTo(use, entry, epochMs(nowMs));
      if (refused.kind === 'entered') return;
      ok(refused.retryAfterMs > 0);
      equal(answerTo(use, entry, epochMs(nowMs + refused.retryAfterMs - 1)).kind, 'limited');
      equal(answerTo(use, entry, epochMs(nowMs + refused.retryAfterMs)).kind, 'entered');
    }),
    RUNS,
  );
});

test('how a limit stands: free when told, and untouched when told, and not before', () => {
  fc.assert(
    fc.property(limit, gaps, (requestsPerMinute, waits) => {
      const { use, nowMs } = arrive({ requestsPerMinute }, waits, () => 1);
      const standingAt = (ms: number) =>
        answerTo(use, entryOf(0, { requestsPerMinute }), epochMs(ms)).standing.requests!;
      const { used, freeAtMs, resetAtMs } = standingAt(nowMs);
      equal(freeAtMs === null, used < requestsPerMinute);
      equal(resetAtMs === null, used === 0);
      if (freeAtMs !== null)
        deepEqual([standingAt(freeAtMs - 1).used, standingAt(freeAtMs).freeAtMs], [requestsPerMinute, null]);
      if (resetAtMs !== null) deepEqual([standingAt(resetAtMs - 1).used > 0, standingAt(resetAtMs).used], [true, 0]);
    }),
    RUNS,
  );
});

test('requests under way are never more than the limit, and a place that is left, or whose lease ends, is free again', () => {
  const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), leaves: fc.boolean() }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(limit, steps, (concurrency, sequence) => {
      let use = UNUSED;
      let nowMs = START;
      let under: { number: number; untilMs: number }[] = [];
      for (const [number, { wait, leaves }] of sequence.entries()) {
        nowMs += wait;
        under = under.filter(({ untilMs }) => untilMs > nowMs);
        if (leaves) {
          const first = under.shift();
          const id = requestId(String(first?.number ?? 'nobody'));
          use = withLeave(use, { line: apiKeyId('line'), requestId: id, tokens: 1 }, epochMs(nowMs));
        }
        const entry = entryOf(number, { concurrency });
        const answer = answerTo(use, entry, epochMs(nowMs));
        equal(answer.kind, under.length < concurrency ? 'entered' : 'limited');
        if (answer.kind === 'limited') continue;
        use = withEntry(use, entry, epochMs(nowMs));
        under.push({ number, untilMs: nowMs + entry.leaseMs });
      }
    }),
    RUNS,
  );
});

test('what was estimated too high is given back to its minute; what was used beyond it counts from the end on', () => {
  const limits = { tokensPerMinute: 100 };
  const leave = { line: apiKeyId('line'), requestId: requestId('1') };
  const begun = withEntry(UNUSED, entryOf(1, limits, 60), epochMs(START));
  const cheaper = withLeave(begun, { ...leave, tokens: 10 }, epochMs(START + 5_000));
  const dearer = withLeave(begun, { ...leave, tokens: 150 }, epochMs(START + 5_000));
  const used = (use: LineUse, afterMs: number) => usedAt(use.tokens, epochMs(START + afterMs));
  deepEqual([used(begun, 5_000), used(cheaper, 5_000), used(dearer, 5_000)], [60, 10, 150]);
  deepEqual([used(cheaper, 60_100), used(dearer, 60_100), used(dearer, 65_100)], [0, 90, 0]);
  deepEqual(withLeave(cheaper, { ...leave, tokens: 99 }, epochMs(START + 6_000)), cheaper);
});

test('buckets stay in order, one for each tenth of a second and none empty, even when the clock is set back', () => {
  const steps = fc.array(fc.record({ wait: fc.integer({ min: -5_000, max: 9_000 }), back: fc.nat(3) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      let buckets = withUsed([], 1, epochMs(START));
      let nowMs = START;
      for (const { wait, back } of sequence) {
        nowMs += wait;
        buckets = withUsed(buckets, 2, epochMs(nowMs));
        const place = buckets[0]?.place ?? 0;
        buckets = withGivenBack(buckets, { place, amount: back }, epochMs(nowMs));
        ok(buckets.every(({ amount }) => amount > 0));
        ok(buckets.every((bucket, at) => at === 0 || buckets[at - 1]!.place < bucket.place));
      }
    }),
    RUNS,
  );
});
