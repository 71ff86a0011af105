import { formatUsd, type PicoUsd, parseUsd } from '../../core/money.ts';

declare global {
  interface JSON {
    /** JSON text that `JSON.stringify` puts in as it is (ECMAScript 2026). */
    rawJSON(text: string): RawJson;
  }
}

export interface RawJson {
  readonly rawJSON: string;
}

/** US dollars as a JSON number with all its digits: it never passes through a float. */
export function exactNumberOf(amount: PicoUsd): RawJson {
  return JSON.rawJSON(formatUsd(amount));
}

/** US dollars out of a text or a JSON number. Null when it is neither, or has more than 12 digits after the point. */
export function parseAmount(value: unknown): PicoUsd | null {
  if (typeof value === 'string') return parseUsd(value);
  if (typeof value !== 'number') return null;
  const text = String(value);
  // A small number is written with an exponent. The digits say the same only if nothing is lost.
  const digits = text.includes('e') ? value.toFixed(12) : text;
  return Number(digits) === value ? parseUsd(digits) : null;
}
