/** Money in whole pico-dollars (10⁻¹² USD). Never a float: a price is whole micro-dollars per million tokens, so every product is exact. */
export type PicoUsd = bigint & { readonly __unit: 'picoUsd' };

/** A list price in whole micro-dollars per million tokens, which is the same number as pico-dollars per token. */
export type PricePerMTok = number & { readonly __unit: 'microUsdPerMTok' };

export const PICO_PER_USD = 1_000_000_000_000n;

export const FREE_OF_CHARGE = 0 as PricePerMTok;

const FRACTION_DIGITS = 12;
const DECIMAL = /^(-?)(\d{1,13})(?:\.(\d{1,12}))?$/;

export function picoUsd(value: bigint): PicoUsd {
  return value as PicoUsd;
}

export const ZERO_USD = picoUsd(0n);

/** The largest amount that anybody may name, a budget or a limit: every sum of money of one account then fits into 64 bits. */
export const AMOUNT_MAX = picoUsd(1_000_000n * PICO_PER_USD);

/** Reads a decimal number of US dollars with at most 12 digits after the point. Null when the text is anything else. */
export function parseUsd(text: string): PicoUsd | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const value = BigInt(whole) * PICO_PER_USD + BigInt(fraction.padEnd(FRACTION_DIGITS, '0'));
  return picoUsd(sign === '-' ? -value : value);
}

/** Writes US dollars as the shortest exact decimal: at least two digits after the point, at most twelve. */
export function formatUsd(value: PicoUsd): string {
  const sign = value < 0n ? '-' : '';
  const size = value < 0n ? -value : value;
  const fraction = (size % PICO_PER_USD).toString().padStart(FRACTION_DIGITS, '0').replace(/0+$/, '').padEnd(2, '0');
  return `${sign}${size / PICO_PER_USD}.${fraction}`;
}

/** The smallest step of a list price, in US dollars per million tokens. */
export const PRICE_STEP = '0.000001';

/** Reads US dollars per million tokens. Null unless it is a whole, non-negative number of micro-dollars. */
export function parsePricePerMTok(text: string): PricePerMTok | null {
  const value = parseUsd(text);
  return value === null ? null : priceOfUsd(value);
}

/** US dollars per million tokens as a list price. Null unless it is a whole, non-negative number of micro-dollars. */
export function priceOfUsd(value: PicoUsd): PricePerMTok | null {
  if (value < 0n || value % 1_000_000n !== 0n) return null;
  const micro = Number(value / 1_000_000n);
  return Number.isSafeInteger(micro) ? (micro as PricePerMTok) : null;
}

export function formatPricePerMTok(price: PricePerMTok): string {
  return formatUsd(picoUsd(BigInt(price) * 1_000_000n));
}

/** What `tokens` cost at a list price. Exact: micro-dollars per million tokens are pico-dollars per token. */
export function costOfTokens(tokens: number, price: PricePerMTok): PicoUsd {
  return picoUsd(BigInt(tokens) * BigInt(price));
}

export function addUsd(...amounts: readonly PicoUsd[]): PicoUsd {
  return picoUsd(amounts.reduce((sum, amount) => sum + amount, 0n));
}

export function subtractUsd(from: PicoUsd, amount: PicoUsd): PicoUsd {
  return picoUsd(from - amount);
}

export function minUsd(first: PicoUsd, second: PicoUsd): PicoUsd {
  return first < second ? first : second;
}

export function maxUsd(first: PicoUsd, second: PicoUsd): PicoUsd {
  return first > second ? first : second;
}

/** Dollars as a float: to look at, as on a meter, and never to reckon with. */
export function approximateUsd(amount: bigint): number {
  return Number(amount) / Number(PICO_PER_USD);
}
