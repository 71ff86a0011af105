import { type PicoUsd, picoUsd } from './money.ts';
import { type EpochMs, epochMs } from './time.ts';

// Reads values as they come back from where we stored them. Each function throws when a value is not what we write there.

export type Fields = Readonly<Record<string, unknown>>;

export function decodeText(value: unknown): string {
  return typeof value === 'string' ? value : refuse('text', value);
}

/** A whole number may come as text: that is how bigint and numeric travel. */
export function decodeNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : refuse('a number', value);
}

export function decodeBoolean(value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse('a boolean', value);
}

/** Money must come as text: a JSON number would have been rounded on its way. */
export function decodeMoney(value: unknown): PicoUsd {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? picoUsd(BigInt(value)) : refuse('money', value);
}

/** An instant in milliseconds. */
export function decodeInstant(value: unknown): EpochMs {
  return epochMs(decodeNumber(value));
}

export function decodeOneOf<Value extends string>(allowed: readonly Value[], value: unknown): Value {
  return allowed.find((one) => one === value) ?? refuse(`one of ${allowed.join(', ')}`, value);
}

export function decodeNullable<Value>(value: unknown, decode: (value: unknown) => Value): Value | null {
  return value === null ? null : decode(value);
}

export function decodeList<Item>(value: unknown, decode: (item: unknown) => Item): readonly Item[] {
  return Array.isArray(value) ? value.map((item: unknown) => decode(item)) : refuse('a list', value);
}

export function decodeFields(value: unknown): Fields {
  return isFields(value) ? value : refuse('an object', value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(wanted: string, value: unknown): never {
  throw new TypeError(`what was stored should hold ${wanted} here, but it holds ${JSON.stringify(value)}`);
}
