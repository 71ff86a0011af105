import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefused, LOAD, type Load, STRAINS, type Strain, strainOf } from '../../src/core/load.ts';

const strains = fc.constantFrom(...STRAINS);
const loads: fc.Arbitrary<Load> = fc.record({
  count: fc.nat(300),
  countMax: fc.integer({ min: 1, max: 200 }),
  strain: strains,
});

function late(...latenessMs: readonly number[]): readonly number[] {
  return latenessMs;
}

describe('who is sent away', () => {
  test.each([
    ['read', 499, 'calm', false],
    ['read', 500, 'calm', true],
    ['act', 999, 'calm', false],
    ['act', 1_000, 'calm', true],
    ['read', 0, 'strained', true],
    ['act', 0, 'strained', false],
    ['act', 0, 'overwhelmed', true],
  ] as const)('%s, with %i of 1,000 under way and an event loop that is %s: %s', (wish, count, strain, isSentAway) => {
    expect(isRefused(wish, { count, countMax: 1_000, strain })).toBe(isSentAway);
  });

  test('an idle replica takes anything, however small its limit is', () => {
    for (const countMax of [1, 2, 3]) {
      expect(isRefused('read', { count: 0, countMax, strain: 'calm' })).toBe(false);
      expect(isRefused('act', { count: 0, countMax, strain: 'calm' })).toBe(false);
    }
  });

  test('whoever acts is never sent away while a reader is taken, and more load never opens a door', () => {
    fc.assert(
      fc.property(loads, fc.nat(300), strains, (load, more, strain) => {
        if (isRefused('act', load)) ok(isRefused('read', load));
        const heavier: Load = {
          ...load,
          count: load.count + more,
          strain: STRAINS[Math.max(STRAINS.indexOf(load.strain), STRAINS.indexOf(strain))]!,
        };
        for (const wish of ['read', 'act'] as const) if (isRefused(wish, load)) ok(isRefused(wish, heavier));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the strain of the event loop', () => {
  test('one long pause is none, nor are two: most of the last looks must have been late', () => {
    expect(strainOf('calm', late(60_000, 0, 0, 0, 0))).toBe('calm');
    expect(strainOf('calm', late(60_000, 0, 60_000, 0, 0))).toBe('calm');
    expect(strainOf('calm', late(60_000, 0, 60_000, 0, 60_000))).toBe('overwhelmed');
  });

  test('is not judged before there were enough looks', () => {
    expect(strainOf('calm', [])).toBe('calm');
    expect(strainOf('calm', late(60_000, 60_000, 60_000, 60_000))).toBe('calm');
  });

  const steady = (ms: number) => Array.from({ length: LOAD.beats }, () => ms);

  test.each([
    ['calm', 249, 'calm'],
    ['calm', 250, 'strained'],
    ['calm', 1_000, 'overwhelmed'],
    ['strained', 125, 'strained'],
    ['strained', 124, 'calm'],
    ['strained', 999, 'strained'],
    ['overwhelmed', 500, 'overwhelmed'],
    ['overwhelmed', 499, 'strained'],
    ['overwhelmed', 124, 'calm'],
  ] as const)('%s and then %i ms late is %s: it ends only well below what began it', (before, ms, after) => {
    expect(strainOf(before, steady(ms))).toBe(after);
  });

  test('does not flap: what is steady gives one answer, whatever came before it', () => {
    fc.assert(
      fc.property(strains, fc.nat(3_000), (before, ms) => {
        const once: Strain = strainOf(before, steady(ms));
        equal(strainOf(once, steady(ms)), once);
      }),
    );
  });
});
