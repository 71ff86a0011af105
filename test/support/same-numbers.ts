import { expect } from 'vitest';

/** Equal, but for the last places of means and percentiles: sums of floats depend on their order. */
export function expectSame(actual: unknown, expected: unknown): void {
  expect(withoutNumbers(actual)).toEqual(withoutNumbers(expected));
  const given = numbersOf(actual);
  for (const [index, wanted] of numbersOf(expected).entries()) {
    expect(Math.abs((given[index] ?? Number.NaN) - wanted)).toBeLessThanOrEqual(1e-6 * Math.max(1, wanted));
  }
}

function withoutNumbers(value: unknown): unknown {
  if (typeof value === 'number') return 'a number';
  if (Array.isArray(value)) return value.map(withoutNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutNumbers(inner)]));
}

/** In the order of the names, so that two equal shapes give two lists that can be compared. */
function numbersOf(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .toSorted(([first], [second]) => (first < second ? -1 : 1))
    .flatMap(([, inner]) => numbersOf(inner));
}
