import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  medianMsOf,
  NO_PACE,
  PACE,
  type PaceSample,
  p95MsOf,
  tokensPerSecondOf,
  withSample,
} from '../../src/core/pace.ts';

const RUNS = { numRuns: 2_000 };

const sample: fc.Arbitrary<PaceSample> = fc.record({ durationMs: fc.nat(60_000), outputTokens: fc.nat(5_000) });

function paceOf(samples: readonly PaceSample[]) {
  return samples.reduce(withSample, NO_PACE);
}

describe('the pace of a model', () => {
  test('is unknown until 20 answers were measured', () => {
    const few = paceOf(Array.from({ length: PACE.samplesMin - 1 }, () => ({ durationMs: 5, outputTokens: 5 })));
    expect([medianMsOf(few), p95MsOf(few), tokensPerSecondOf(few)]).toEqual([null, null, null]);
    const enough = withSample(few, { durationMs: 5, outputTokens: 5 });
    expect([medianMsOf(enough), p95MsOf(enough), tokensPerSecondOf(enough)]).toEqual([5, 5, 1_000]);
  });

  test('remembers the newest 100 answers and no more', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 250 }), (samples) => {
        deepEqual(paceOf(samples).samples, samples.slice(-PACE.samplesMax));
      }),
      RUNS,
    );
  });

  test('lies among what was measured: half of the answers are no slower than the median, 95 % no slower than the p95', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: PACE.samplesMin, maxLength: PACE.samplesMax }), (samples) => {
        const pace = paceOf(samples);
        const shareUpTo = (ms: number) => samples.filter(({ durationMs }) => durationMs <= ms).length / samples.length;
        const [median, p95] = [medianMsOf(pace) ?? -1, p95MsOf(pace) ?? -1];
        ok(samples.some(({ durationMs }) => durationMs === median));
        ok(median <= p95);
        ok(shareUpTo(median) >= 0.5);
        // The largest rank below 95 %: off by less than one answer.
        ok(shareUpTo(p95) > 0.95 - 1 / samples.length);
      }),
      RUNS,
    );
  });

  test('does not depend on the order of the answers', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: PACE.samplesMin, maxLength: PACE.samplesMax }), (samples) => {
        const [one, other] = [paceOf(samples), paceOf(samples.toReversed())];
        equal(medianMsOf(one), medianMsOf(other));
        equal(p95MsOf(one), p95MsOf(other));
        equal(tokensPerSecondOf(one), tokensPerSecondOf(other));
      }),
      RUNS,
    );
  });

  test('answers that took no time say nothing about speed', () => {
    expect(tokensPerSecondOf(paceOf(Array(20).fill({ durationMs: 0, outputTokens: 9 })))).toBeNull();
  });
});
