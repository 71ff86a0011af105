import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addUsd,
  costOfTokens,
  formatPricePerMTok,
  formatUsd,
  maxUsd,
  minUsd,
  PICO_PER_USD,
  parsePricePerMTok,
  parseUsd,
  picoUsd,
  priceOfUsd,
  subtractUsd,
} from '../../src/core/money.ts';
import { costOfUsage } from '../../src/core/usage.ts';
import { usdPerMTok } from '../support/registries.ts';

const RUNS = { numRuns: 2_000 };

/** The largest that can be read: 13 digits before the point. */
const MOST = 10n ** 25n - 1n;
const anyAmount = fc.oneof(
  fc.bigInt({ min: -MOST, max: MOST }),
  fc.bigInt({ min: -2_000_000_000_000n, max: 2_000_000_000_000n }),
);
const tokens = fc.nat(10_000_000);
const micro = fc.nat(2_000_000_000);

/** A whole number of micro-dollars per million tokens, through the front door. */
function priceOf(microUsd: number) {
  return usdPerMTok(formatUsd(picoUsd(BigInt(microUsd) * 1_000_000n)));
}

describe('an amount', () => {
  test('survives being written and read, to the pico-dollar', () => {
    fc.assert(
      fc.property(anyAmount, (value) => {
        equal(parseUsd(formatUsd(picoUsd(value))), value);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is written as the shortest decimal with at least two and at most twelve digits after the point', () => {
    fc.assert(
      fc.property(anyAmount, (value) => {
        const text = formatUsd(picoUsd(value));
        ok(/^-?\d{1,13}\.(\d{2}|\d{2,11}[1-9])$/.test(text), text);
      }),
      RUNS,
    );
    const written = (value: bigint) => formatUsd(picoUsd(value));
    expect(written(0n)).toBe('0.00');
    expect(written(1n)).toBe('0.000000000001');
    expect(written(-1n)).toBe('-0.000000000001');
    expect(written(PICO_PER_USD)).toBe('1.00');
    expect(written(210_000_000n)).toBe('0.00021');
    expect(written(-1_500_000_000_000n)).toBe('-1.50');
  });

  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['00', 0n],
    ['1', PICO_PER_USD],
    ['007.5', 7_500_000_000_000n],
    ['0.000000000001', 1n],
    ['9999999999999.999999999999', MOST],
    ['-0.30', -300_000_000_000n],
  ])('%s is read exactly', (text, value) => {
    expect(parseUsd(text)).toBe(value);
  });

  test.each([
    '',
    ' ',
    'NaN',
    'Infinity',
    '1e3',
    ' 1',
    '1 ',
    '1\n',
    '--1',
    '+1',
    '0x1',
    '1_000',
    '1,000',
    '1,5',
    '.5',
    '1.',
    '1.2.3',
    '$1',
    '0.0000000000001',
    '1.0000000000000',
    '10000000000000',
    '١',
    '１',
    'null',
  ])('%j is no amount', (text) => {
    expect(parseUsd(text)).toBeNull();
  });

  test('no text but a plain decimal is one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.-+e ') })), (text) => {
        equal(parseUsd(text) !== null, /^-?[0-9]{1,13}([.][0-9]{1,12})?$/.test(text), text);
      }),
      RUNS,
    );
  });
});

describe('sums', () => {
  test('are exact, in any order, and a difference undoes them', () => {
    fc.assert(
      fc.property(fc.array(anyAmount, { maxLength: 20 }), (values) => {
        const amounts = values.map(picoUsd);
        const sum = addUsd(...amounts);
        equal(
          sum,
          values.reduce((total, value) => total + value, 0n),
        );
        equal(addUsd(...amounts.toReversed()), sum);
        equal(
          amounts.reduce((left, amount) => subtractUsd(left, amount), sum),
          0n,
        );
      }),
      RUNS,
    );
  });

  test('a tenth of a dollar, ten times, is a dollar', () => {
    expect(formatUsd(addUsd(...Array.from({ length: 10 }, () => parseUsd('0.1') ?? picoUsd(0n))))).toBe('1.00');
  });

  test('the smaller and the larger of two are the two', () => {
    fc.assert(
      fc.property(anyAmount, anyAmount, (one, other) => {
        const [first, second] = [picoUsd(one), picoUsd(other)];
        ok(minUsd(first, second) <= maxUsd(first, second));
        equal(minUsd(first, second) + maxUsd(first, second), one + other);
      }),
      RUNS,
    );
  });
});

describe('a list price', () => {
  test('survives being written and read, and tokens cost exactly tokens × price', () => {
    fc.assert(
      fc.property(micro, tokens, (microUsd, count) => {
        const price = priceOf(microUsd);
        equal(price, microUsd);
        equal(parsePricePerMTok(formatPricePerMTok(price)), price);
        equal(costOfTokens(count, price), BigInt(count) * BigInt(microUsd));
      }),
      RUNS,
    );
  });

  test('a million tokens cost the price that is listed', () => {
    fc.assert(
      fc.property(micro, (microUsd) => {
        equal(formatUsd(costOfTokens(1_000_000, priceOf(microUsd))), formatPricePerMTok(priceOf(microUsd)));
      }),
      RUNS,
    );
  });

  test('is a whole number of micro-dollars, zero or more, and small enough to be exact', () => {
    expect(parsePricePerMTok('0.0375')).toBe(37_500);
    expect(parsePricePerMTok('0.000001')).toBe(1);
    expect(parsePricePerMTok('0')).toBe(0);
    expect(parsePricePerMTok('0.0000001')).toBeNull();
    expect(parsePricePerMTok('0.0000015')).toBeNull();
    expect(parsePricePerMTok('-1')).toBeNull();
    expect(parsePricePerMTok('1e-3')).toBeNull();
    expect(parsePricePerMTok('9007199254.740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parsePricePerMTok('9007199254.740992')).toBeNull();
    fc.assert(
      fc.property(anyAmount, (value) => {
        const isPrice = value >= 0n && value % 1_000_000n === 0n && value / 1_000_000n < 2n ** 53n;
        equal(priceOfUsd(picoUsd(value)) !== null, isPrice);
      }),
      RUNS,
    );
  });
});

describe('what tokens cost', () => {
  const price = fc.record({
    input: micro.map(priceOf),
    output: micro.map(priceOf),
    cachedInput: fc.option(micro.map(priceOf)),
    reasoning: fc.option(micro.map(priceOf)),
  });
  const usage = fc.record({
    inputTokens: tokens,
    cachedInputTokens: tokens,
    outputTokens: tokens,
    reasoningTokens: tokens,
    source: fc.constant('reported' as const),
  });

  test('counts every token once: cached ones as a part of input, reasoning ones as a part of output', () => {
    fc.assert(
      fc.property(usage, price, (used, card) => {
        const cached = BigInt(Math.min(used.cachedInputTokens, used.inputTokens));
        const reasoning = BigInt(Math.min(used.reasoningTokens, used.outputTokens));
        const input =
          (BigInt(used.inputTokens) - cached) * BigInt(card.input) + cached * BigInt(card.cachedInput ?? card.input);
        const output =
          (BigInt(used.outputTokens) - reasoning) * BigInt(card.output) +
          reasoning * BigInt(card.reasoning ?? card.output);
        const cost = costOfUsage(used, card);
        equal(cost.input, input);
        equal(cost.output, output);
        equal(cost.total, input + output);
      }),
      RUNS,
    );
  });

  test('no split of the tokens changes the cost where the rates are the same', () => {
    fc.assert(
      fc.property(usage, price, (used, card) => {
        const flat = { ...card, cachedInput: null, reasoning: null };
        const plain = { ...used, cachedInputTokens: 0, reasoningTokens: 0 };
        equal(costOfUsage(used, flat).total, costOfUsage(plain, flat).total);
      }),
      RUNS,
    );
  });

  test('an example that can be checked by hand', () => {
    const card = {
      input: usdPerMTok('2'),
      output: usdPerMTok('8'),
      cachedInput: usdPerMTok('0.5'),
      reasoning: usdPerMTok('10'),
    };
    const used = {
      inputTokens: 1_000,
      cachedInputTokens: 400,
      outputTokens: 100,
      reasoningTokens: 60,
      source: 'reported',
    } as const;
    const cost = costOfUsage(used, card);
    expect(formatUsd(cost.input)).toBe('0.0014'); // 600 × 2 + 400 × 0.5, per million
    expect(formatUsd(cost.output)).toBe('0.00092'); // 40 × 8 + 60 × 10, per million
    expect(formatUsd(cost.total)).toBe('0.00232');
  });
});
