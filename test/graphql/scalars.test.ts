import fc from 'fast-check';
import { GraphQLScalarType, Kind, parseValue } from 'graphql';
import { describe, expect, test } from 'vitest';
import { picoUsd } from '../../src/core/money.ts';
import { DURATION_LIMITS } from '../../src/graphql/duration.ts';
import { schema } from '../../src/graphql/schema.ts';
import { usd } from '../fakes/gateway-data.ts';

function scalar(name: string): GraphQLScalarType {
  const type = schema.getType(name);
  if (!(type instanceof GraphQLScalarType)) throw new Error(`${name} is no scalar`);
  return type;
}

/** As a variable, and as a literal in the document: both must say the same. */
function bothWays(name: string, json: string): readonly unknown[] {
  const type = scalar(name);
  const literal = parseValue(json);
  return [type.parseValue(JSON.parse(json)), type.parseLiteral(literal, undefined)];
}

function refusals(name: string, json: string): readonly string[] {
  const type = scalar(name);
  const literal = parseValue(json);
  return [() => type.parseValue(JSON.parse(json)), () => type.parseLiteral(literal, undefined)].map((act) => {
    try {
      return `taken: ${String(act())}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  });
}

describe('Decimal', () => {
  test.each([
    ['"0.000415"', usd('0.000415')],
    ['"1"', usd('1')],
    ['1', usd('1')],
    ['0.05', usd('0.05')],
    ['-2.5', usd('-2.5')],
    ['"0.123456789012"', usd('0.123456789012')],
  ])('%s is taken as it is written', (json, value) => {
    expect(bothWays('Decimal', json)).toEqual([value, value]);
  });

  test('a literal keeps digits that a float would lose', () => {
    expect(scalar('Decimal').parseLiteral(parseValue('1234567890123.123456789012'), undefined)).toBe(
      usd('1234567890123.123456789012'),
    );
  });

  test.each([
    ['"NaN"', /finite decimal number/],
    ['"Infinity"', /finite decimal number/],
    ['""', /finite decimal number/],
    ['"1,5"', /finite decimal number/],
    ['"0.1234567890123"', /12 after the point/],
    ['"1e3"', /without an exponent/],
    ['1e21', /without an exponent/],
    ['1e-7', /without an exponent/],
    ['true', /is a string/],
    ['{}', /is a string/],
  ])('%s is refused, and the refusal says what to send', (json, message) => {
    for (const refusal of refusals('Decimal', json)) expect(refusal).toMatch(message);
  });

  test('NaN and Infinity are refused as numbers too', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => scalar('Decimal').parseValue(value)).toThrow(/finite decimal number/);
    }
  });

  test('whatever is returned can be sent back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (value) => {
        const type = scalar('Decimal');
        expect(type.parseValue(type.serialize(picoUsd(value)))).toBe(value);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('Duration', () => {
  test.each([
    ['PT15M', 900_000, 'PT15M'],
    ['P7D', 604_800_000, 'P7D'],
    ['P1W', 604_800_000, 'P7D'],
    ['PT60S', 60_000, 'PT1M'],
    ['P1DT2H3M4.5S', 93_784_500, 'P1DT2H3M4.5S'],
    ['PT0.25S', 250, 'PT0.25S'],
    ['PT90M', 5_400_000, 'PT1H30M'],
    ['30s', 30_000, 'PT30S'],
    ['15m', 900_000, 'PT15M'],
    ['24h', 86_400_000, 'P1D'],
    ['7d', 604_800_000, 'P7D'],
  ])('%s is %i ms, and is returned as %s', (text, ms, returned) => {
    expect(bothWays('Duration', JSON.stringify(text))).toEqual([ms, ms]);
    expect(scalar('Duration').serialize(ms)).toBe(returned);
  });

  test.each([
    ['1M', /ambiguous: write 1m/],
    ['P1M', /months or years.*P30D/],
    ['P1Y', /months or years/],
    ['P1Y2M', /months or years/],
    ['5w', /"w" is no unit/],
    ['15', /write 30s/],
    ['', /write 30s/],
    ['P', /write 30s/],
    ['PT', /write 30s/],
    ['-5m', /write 30s/],
    ['PT1.5H', /write 30s/],
    ['0s', /out of bounds/],
    ['PT0S', /out of bounds/],
    ['999999999999d', /out of bounds/],
  ])('"%s" is refused, and the refusal says what to write', (text, message) => {
    for (const refusal of refusals('Duration', JSON.stringify(text))) expect(refusal).toMatch(message);
  });

  test('a number is no span of time: nobody knows its unit', () => {
    for (const refusal of refusals('Duration', '60')) expect(refusal).toMatch(/is a string such as/);
  });

  test('whatever is returned can be sent back', () => {
    fc.assert(
      fc.property(fc.integer({ min: DURATION_LIMITS.msMin, max: DURATION_LIMITS.msMax }), (ms) => {
        const type = scalar('Duration');
        expect(type.parseValue(type.serialize(ms))).toBe(ms);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('DateTime', () => {
  test.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.123456789+02:00', '2026-01-31T10:00:00.123Z'],
    ['2024-02-29T23:59:59-05:30', '2024-03-01T05:29:59.000Z'],
    ['0099-01-01T00:00:00Z', '0099-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, returned) => {
    const values = bothWays('DateTime', JSON.stringify(text));
    expect(values.map((value) => scalar('DateTime').serialize(value))).toEqual([returned, returned]);
  });

  test.each([
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-02-30T12:00:00Z',
    '2025-02-29T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:00:60Z',
    '2026-01-31T12:00:00+25:00',
    'yesterday',
  ])('%s is refused', (text) => {
    for (const refusal of refusals('DateTime', JSON.stringify(text))) expect(refusal).toMatch(/RFC 3339/);
  });

  test('whatever is returned can be sent back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (ms) => {
        const type = scalar('DateTime');
        expect(type.parseValue(type.serialize(ms))).toBe(ms);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('SafeInt and JSON', () => {
  test('numbers up to 2^53 - 1 pass as they are, others never', () => {
    const type = scalar('SafeInt');
    expect(type.serialize(Number.MAX_SAFE_INTEGER)).toBe(9_007_199_254_740_991);
    expect(() => type.serialize(2 ** 53)).toThrow(RangeError);
    for (const refusal of refusals('SafeInt', '1.5')) expect(refusal).toMatch(/whole JSON number/);
  });

  test('any JSON value passes as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(scalar('JSON').parseValue(value)).toEqual(value);
      }),
    );
    const literal = parseValue('{ team: "search", nested: [1, { deep: true }] }');
    expect(literal.kind).toBe(Kind.OBJECT);
    expect(scalar('JSON').parseLiteral(literal, undefined)).toEqual({ team: 'search', nested: [1, { deep: true }] });
  });
});
