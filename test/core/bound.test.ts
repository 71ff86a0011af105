import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdUnder, largestHold, makeBound, OUTPUT_TOKENS_MIN, smallestHold } from '../../src/core/bound.ts';
import { formatUsd, picoUsd } from '../../src/core/money.ts';
import { costOfUsage } from '../../src/core/usage.ts';
import { usdPerMTok } from '../support/registries.ts';

const RUNS = { numRuns: 2_000 };

const price = fc.nat(100_000_000).map((micro) => usdPerMTok(formatUsd(picoUsd(BigInt(micro) * 1_000_000n))));
const card = fc.record({
  input: price,
  output: fc.oneof(price, fc.constant(usdPerMTok('0'))),
  cachedInput: fc.option(price),
  reasoning: fc.option(price),
});
const wish = fc.record({
  inputTokensMax: fc.nat(200_000),
  outputTokensAsked: fc.option(fc.integer({ min: 1, max: 100_000 })),
  modelOutputTokensMax: fc.integer({ min: 1, max: 64_000 }),
  price: card,
});
/** A ceiling as a share of the most, so that small, fitting and ample ones all occur. */
const share = fc.integer({ min: 0, max: 1_500 });

function ceilingFor(bound: ReturnType<typeof makeBound>, permille: number) {
  return picoUsd((largestHold(bound) * BigInt(permille)) / 1_000n);
}

describe('a bound', () => {
  test('covers every use of tokens within it, at whatever rates they are billed', () => {
    const tokens = fc.integer({ min: 0, max: 1_000 });
    fc.assert(
      fc.property(wish, fc.tuple(tokens, tokens, tokens, tokens), (of, [inShare, cached, outShare, reasoning]) => {
        const bound = makeBound(of);
        const inputTokens = Math.floor((of.inputTokensMax * inShare) / 1_000);
        const outputTokens = Math.floor((bound.outputTokensMax * outShare) / 1_000);
        const usage = {
          inputTokens,
          cachedInputTokens: Math.floor((inputTokens * cached) / 1_000),
          outputTokens,
          reasoningTokens: Math.floor((outputTokens * reasoning) / 1_000),
          source: 'reported',
        } as const;
        ok(costOfUsage(usage, of.price).total <= largestHold(bound));
      }),
      RUNS,
    );
  });

  test('never allows more output than the model or the caller does', () => {
    fc.assert(
      fc.property(wish, (of) => {
        const bound = makeBound(of);
        ok(bound.outputTokensMax <= of.modelOutputTokensMax);
        ok(bound.outputTokensMax <= (of.outputTokensAsked ?? Number.POSITIVE_INFINITY));
        ok(bound.outputTokensMin >= 1 && bound.outputTokensMin <= bound.outputTokensMax);
        if (of.outputTokensAsked !== null) equal(bound.outputTokensMin, bound.outputTokensMax);
      }),
      RUNS,
    );
  });
});

describe('a hold under a ceiling', () => {
  test('is within the ceiling, at least the least and at most the most, and pays for its output limit exactly', () => {
    fc.assert(
      fc.property(wish, share, (of, permille) => {
        const bound = makeBound(of);
        const ceiling = ceilingFor(bound, permille);
        const size = holdUnder(bound, ceiling);
        if (size === null) return;
        ok(size.amount <= ceiling);
        ok(size.amount >= smallestHold(bound) && size.amount <= largestHold(bound));
        ok(size.outputTokens >= bound.outputTokensMin && size.outputTokens <= bound.outputTokensMax);
        equal(size.amount, bound.input + bound.perOutputToken * BigInt(size.outputTokens));
      }),
      RUNS,
    );
  });

  test('there is none exactly when even the least does not fit', () => {
    fc.assert(
      fc.property(wish, share, (of, permille) => {
        const bound = makeBound(of);
        const ceiling = ceilingFor(bound, permille);
        equal(holdUnder(bound, ceiling) === null, smallestHold(bound) > ceiling);
        ok(holdUnder(bound, smallestHold(bound)) !== null);
        equal(holdUnder(bound, picoUsd(smallestHold(bound) - 1n)), null);
      }),
      RUNS,
    );
  });

  test('grows with the ceiling and never shrinks, and wastes less than the price of one token', () => {
    fc.assert(
      fc.property(wish, share, share, (of, one, other) => {
        const bound = makeBound(of);
        const low = holdUnder(bound, ceilingFor(bound, Math.min(one, other)));
        const ceiling = ceilingFor(bound, Math.max(one, other));
        const high = holdUnder(bound, ceiling);
        if (low === null) return;
        ok(high !== null);
        ok(low.amount <= high.amount && low.outputTokens <= high.outputTokens);
        if (high.outputTokens < bound.outputTokensMax) ok(ceiling - high.amount < bound.perOutputToken);
      }),
      RUNS,
    );
  });

  test('covers whatever can be billed for its output limit', () => {
    fc.assert(
      fc.property(wish, share, fc.boolean(), fc.boolean(), (of, permille, isCached, isReasoned) => {
        const bound = makeBound(of);
        const size = holdUnder(bound, ceilingFor(bound, permille));
        if (size === null) return;
        const usage = {
          inputTokens: of.inputTokensMax,
          cachedInputTokens: isCached ? of.inputTokensMax : 0,
          outputTokens: size.outputTokens,
          reasoningTokens: isReasoned ? size.outputTokens : 0,
          source: 'reported',
        } as const;
        ok(costOfUsage(usage, of.price).total <= size.amount);
      }),
      RUNS,
    );
  });
});

test('with little money a caller without a limit gets fewer tokens, but never fewer than are of use', () => {
  const of = {
    inputTokensMax: 100,
    outputTokensAsked: null,
    modelOutputTokensMax: 10_000,
    price: { input: usdPerMTok('1'), output: usdPerMTok('10'), cachedInput: null, reasoning: null },
  };
  const bound = makeBound(of);
  expect(bound.outputTokensMin).toBe(OUTPUT_TOKENS_MIN);
  expect(holdUnder(bound, picoUsd(100_000_000n + 500n * 10_000_000n))?.outputTokens).toBe(500);
  expect(holdUnder(bound, picoUsd(100_000_000n + 15n * 10_000_000n))).toBeNull();
  expect(holdUnder(makeBound({ ...of, outputTokensAsked: 501 }), picoUsd(5_100_000_000n))).toBeNull();
});
