import { GraphQLError, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { formatUsd, type PicoUsd, parseUsd } from '../core/money.ts';
import type { EpochMs } from '../core/time.ts';
import { builder } from './builder.ts';
import { formatDateTime, parseDateTime } from './date-time.ts';
import { formatDuration, parseDuration } from './duration.ts';

builder.scalarType('DateTime', {
  description: 'A moment in time, RFC 3339 with an offset; always returned in UTC.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: formatDateTime,
  parseValue: toDateTime,
  parseLiteral: (node) => toDateTime(node.kind === Kind.STRING ? node.value : null),
});

builder.scalarType('Decimal', {
  description:
    'An exact decimal number as a string, at most 12 digits after the point (`"0.000415"`). Inputs also accept JSON numbers.',
  serialize: formatUsd,
  parseValue: toDecimal,
  // The literal's own text, so that nothing passes through a float.
  parseLiteral: (node) => toDecimal(isNumberOrText(node) ? node.value : null),
});

builder.scalarType('Duration', {
  description:
    'A span of time, returned as ISO 8601 (`PT15M`, `P7D`). Inputs also accept `30s`, `15m`, `24h`, `7d`; `1M` is rejected as ambiguous.',
  serialize: formatDuration,
  parseValue: toDuration,
  parseLiteral: (node) => toDuration(node.kind === Kind.STRING ? node.value : null),
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

builder.scalarType('SafeInt', {
  description:
    'A whole number up to 2^53 − 1, returned as a JSON number. Token and request totals outgrow the 32-bit `Int`.',
  serialize: (value) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number up to 2^53 - 1: ${value}`);
    return value;
  },
  parseValue: toSafeInt,
  parseLiteral: (node) => toSafeInt(node.kind === Kind.INT ? Number(node.value) : null),
});

function isNumberOrText(
  node: ValueNode,
): node is Extract<ValueNode, { kind: 'IntValue' | 'FloatValue' | 'StringValue' }> {
  return node.kind === Kind.INT || node.kind === Kind.FLOAT || node.kind === Kind.STRING;
}

function toDateTime(value: unknown): EpochMs {
  const parsed = typeof value === 'string' ? parseDateTime(value) : null;
  if (parsed === null) {
    throw new GraphQLError('A DateTime is an RFC 3339 string with an offset, such as "2026-01-31T12:00:00Z".');
  }
  return parsed;
}

function toDecimal(value: unknown): PicoUsd {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') throw new GraphQLError('A Decimal is a string such as "0.05", or a JSON number.');
  const parsed = parseUsd(text);
  if (parsed !== null) return parsed;
  throw new GraphQLError(
    /^[-+]?[\d.]+e[-+]?\d+$/i.test(text)
      ? `A Decimal is written without an exponent: send "0.0000001" instead of ${text.slice(0, 40)}.`
      : 'A Decimal is a finite decimal number with at most 13 digits before and 12 after the point, such as "0.05".',
  );
}

function toDuration(value: unknown): number {
  if (typeof value !== 'string') throw new GraphQLError('A Duration is a string such as "PT15M", "15m" or "7d".');
  const parsed = parseDuration(value);
  if (parsed.kind === 'refused') throw new GraphQLError(`This is no Duration: ${parsed.why}.`);
  return parsed.ms;
}

function toSafeInt(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new GraphQLError('A SafeInt is a whole JSON number from -(2^53 - 1) to 2^53 - 1.');
  }
  return value;
}
