import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeChance } from '../../arena/support/chance.ts';
import { occupancyOf, worstWindow } from '../../arena/support/windows.ts';

describe('chance', () => {
  test('is the same for the same seed, and another for another', () => {
    const draws = (seed: number) =>
      Array.from(
        { length: 20 },
        (
          (chance) => () =>
            chance.next()
        )(makeChance(seed)),
      );
    expect(draws(7)).toEqual(draws(7));
    expect(draws(7)).not.toEqual(draws(8));
  });

  test('of one part does not shift with how much another part has drawn', () => {
    const one = makeChance(7);
    one.next();
    expect(one.fork('late').next()).toBe(makeChance(7).fork('late').next());
  });

  test('keeps within its bounds and reaches both', () => {
    const chance = makeChance(1);
    const drawn = new Set(Array.from({ length: 200 }, () => chance.int({ min: 2, max: 5 })));
    expect([...drawn].toSorted()).toEqual([2, 3, 4, 5]);
  });
});

describe('the worst window', () => {
  const instants = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 60 });

  test('is what counting every window by hand finds', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: 0, max: 100 }), (list, windowMs) => {
        const sorted = list.toSorted((one, other) => one - other);
        const byHand = sorted.map((start) => sorted.filter((at) => at >= start && at <= start + windowMs).length);
        expect(worstWindow(sorted, windowMs)).toBe(Math.max(0, ...byHand));
      }),
    );
  });

  test('slots that are always taken are used to the full, and half of them by half', () => {
    const of = { keptMs: 100, limit: 2, fromMs: 0, toMs: 200 };
    expect(occupancyOf([0, 0, 100, 100], of)).toBe(1);
    expect(occupancyOf([0, 100], of)).toBe(0.5);
    expect(occupancyOf([-50], of)).toBe(0.125);
  });
});
