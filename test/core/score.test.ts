import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SORTS } from '../../src/core/chat-request.ts';
import { picoUsd } from '../../src/core/money.ts';
import { type Merits, scoreAll } from '../../src/core/score.ts';

const RUNS = { numRuns: 2_000 };

const merits: fc.Arbitrary<Merits> = fc.record({
  estimatedCost: fc.bigInt({ min: 0n, max: 10n ** 15n }).map(picoUsd),
  latencyMs: fc.integer({ min: 1, max: 600_000 }),
  quality: fc.double({ min: 0, max: 1, noNaN: true }),
  tokensPerSecond: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  isSpecialist: fc.boolean(),
});

const sort = fc.constantFrom(null, ...SORTS);

const PLAIN: Merits = {
  estimatedCost: picoUsd(100n),
  latencyMs: 100,
  quality: 0.5,
  tokensPerSecond: 50,
  isSpecialist: false,
};

describe('a score', () => {
  test('is the sum of value × weight, from 0 to 1, whatever is compared', () => {
    fc.assert(
      fc.property(fc.array(merits, { minLength: 1, maxLength: 6 }), sort, (list, by) => {
        for (const { score, terms } of scoreAll(list, by)) {
          ok(score >= 0 && score <= 1 + Number.EPSILON);
          equal(
            score,
            terms.reduce((sum, { value, weight }) => sum + value * weight, 0),
          );
          ok(terms.every(({ value }) => value >= 0 && value <= 1));
        }
      }),
      RUNS,
    );
  });

  test('of equals is equal, so that ties are left to the order of the registry', () => {
    fc.assert(
      fc.property(merits, fc.integer({ min: 1, max: 6 }), sort, (one, count, by) => {
        const scores = scoreAll(Array(count).fill(one), by).map(({ score }) => score);
        equal(new Set(scores).size, 1);
      }),
      RUNS,
    );
  });

  test('does not fall when a candidate becomes better in one respect and nobody else changes', () => {
    fc.assert(
      fc.property(fc.array(merits, { minLength: 2, maxLength: 4 }), sort, fc.nat(2), (list, by, respect) => {
        const [first, ...others] = list;
        if (first === undefined) return;
        const better = {
          ...first,
          ...[
            { estimatedCost: picoUsd(first.estimatedCost / 2n) },
            { latencyMs: Math.max(1, first.latencyMs / 2) },
            { quality: Math.min(1, first.quality * 1.5) },
          ][respect],
        };
        const rankOf = (scores: readonly { readonly score: number }[]) =>
          scores.filter(({ score }) => score > (scores[0]?.score ?? 0)).length;
        ok((scoreAll([better, ...others], by)[0]?.score ?? 0) >= (scoreAll(list, by)[0]?.score ?? 1) - 1e-12);
        ok(rankOf(scoreAll([better, ...others], by)) <= rankOf(scoreAll(list, by)));
      }),
      RUNS,
    );
  });
});

describe('a goal', () => {
  test.each([
    ['price', { estimatedCost: picoUsd(50n) }],
    ['latency', { latencyMs: 50 }],
    ['quality', { quality: 1 }],
    ['throughput', { tokensPerSecond: 100 }],
  ] as const)('%s: twice as good is twice the score, and nothing else counts', (by, change) => {
    const [plain, better] = scoreAll([PLAIN, { ...PLAIN, ...change }], by);
    expect(better).toEqual({ score: 1, terms: [{ name: by, value: 1, weight: 1 }] });
    expect(plain).toEqual({ score: 0.5, terms: [{ name: by, value: 0.5, weight: 1 }] });
  });

  test('without one, price counts half, quality three tenths and latency two tenths', () => {
    const [only] = scoreAll([PLAIN], null);
    expect(only?.terms).toEqual([
      { name: 'price', value: 1, weight: 0.5 },
      { name: 'latency', value: 1, weight: 0.2 },
      { name: 'quality', value: 1, weight: 0.3 },
    ]);
  });

  test('a specialist is taken for a tenth better, exactly: a tenth dearer than that is a tie', () => {
    const specialist = { ...PLAIN, isSpecialist: true };
    const tied = (by: 'price' | 'latency' | 'quality', generalist: Partial<Merits>, expert: Partial<Merits> = {}) => {
      const scores = scoreAll(
        [
          { ...PLAIN, ...generalist },
          { ...specialist, ...expert },
        ],
        by,
      );
      return scores.map(({ score }) => score);
    };
    expect(tied('price', { estimatedCost: picoUsd(90n) })).toEqual([1, 1]);
    expect(tied('latency', { latencyMs: 90 })).toEqual([1, 1]);
    expect(tied('quality', { quality: 0.55 })).toEqual([1, 1]);
    expect(tied('price', { estimatedCost: picoUsd(91n) })[1]).toBe(1);
    expect(tied('price', { estimatedCost: picoUsd(91n) })[0]).toBeLessThan(1);
  });

  test('what is free is best, and beside it every price is worth nothing', () => {
    const scores = scoreAll([{ ...PLAIN, estimatedCost: picoUsd(0n) }, PLAIN], 'price').map(({ score }) => score);
    expect(scores).toEqual([1, 0]);
  });

  test('nobody is compared with nobody', () => {
    expect(scoreAll([], null)).toEqual([]);
  });
});
