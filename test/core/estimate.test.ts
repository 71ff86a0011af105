import { equal } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countCodePoints, estimateCost, estimateInputTokens, estimateTokens } from '../../src/core/estimate.ts';
import type { Message } from '../../src/core/message.ts';
import { formatUsd } from '../../src/core/money.ts';
import { makeModel, usdPerMTok } from '../support/registries.ts';

const RUNS = { numRuns: 2_000 };

describe("characters are counted as Python's len does", () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 2],
    ['🙂', 1],
    ['👩‍👩‍👧', 5],
    ['\ud83d', 1],
    ['\ude42\ud83d', 2],
    ['日本語', 3],
  ])('%j has %i', (text, count) => {
    expect(countCodePoints(text)).toBe(count);
  });

  test('a text is as long as the array of its code points, halves of pairs included', () => {
    const anyText = fc.array(fc.integer({ min: 0, max: 0x10ffff })).map((points) => String.fromCodePoint(...points));
    fc.assert(
      fc.property(anyText, (text) => {
        equal(countCodePoints(text), Array.from(text).length);
        equal(estimateTokens(text), Math.ceil(Array.from(text).length / 4));
      }),
      RUNS,
    );
  });
});

describe('an estimate', () => {
  test.each([
    [0, 0],
    [1, 1],
    [4, 1],
    [5, 2],
    [56, 14],
  ])('of %i characters is %i tokens', (chars, tokens) => {
    expect(estimateTokens('x'.repeat(chars))).toBe(tokens);
  });

  test('of a conversation counts the text of all messages together, and no images', () => {
    const said = (...texts: readonly string[]): Message => ({
      role: 'user',
      parts: [
        ...texts.map((text) => ({ kind: 'text', text }) as const),
        { kind: 'image', url: 'https://a.example', detail: null },
      ],
    });
    fc.assert(
      fc.property(fc.array(fc.array(fc.string(), { maxLength: 3 }), { maxLength: 4 }), (texts) => {
        const prompt = { messages: texts.map((list) => said(...list)), tools: null, responseFormat: null };
        equal(estimateInputTokens(prompt), estimateTokens(texts.flat().join('')));
      }),
      RUNS,
    );
  });

  test('of a cost takes the input, and at most 300 tokens of output', () => {
    const price = { ...makeModel('m', '20').price, output: usdPerMTok('10') };
    const cost = (outputTokensMax: number) => formatUsd(estimateCost({ inputTokens: 14, outputTokensMax, price }));
    expect(cost(0)).toBe('0.00028');
    expect(cost(10)).toBe('0.00038');
    expect(cost(300)).toBe('0.00328');
    expect(cost(100_000)).toBe('0.00328');
  });
});
