import { UNKNOWN } from './number-text.ts';

/** Least digits after the point: cents. */
const CENTS = 2;
/** Where money is short: digits that tell something, of sums below a dollar. */
const TELLING_DIGITS = 2;
const FRACTION_MAX = 6;

/** Exact: every digit that the gateway counts, `$0.0004150021`. Zeros at the end are left out down to cents. */
export function moneyText(usd: string | null): string {
  const parts = partsOf(usd);
  if (parts === null) return usd === null ? UNKNOWN : `$${usd}`;
  const fraction = parts.fraction.replace(/0+$/, '').padEnd(CENTS, '0');
  return `${parts.sign}$${grouped(parts.whole)}.${fraction}`;
}

/** For a glance: `$12.40`, `$0.0021`. What is more than nothing is never shown as nothing. */
export function moneyTextShort(usd: string | null): string {
  const parts = partsOf(usd);
  if (parts === null) return moneyText(usd);
  const amount = Number(`${parts.whole}.${parts.fraction || '0'}`);
  if (amount === 0) return '$0';
  if (amount < 10 ** -FRACTION_MAX) return `<$${(10 ** -FRACTION_MAX).toFixed(FRACTION_MAX)}`;
  if (amount >= 1000) return `${parts.sign}$${grouped(String(Math.round(amount)))}`;
  const leadingZeros = amount >= 1 ? 0 : -Math.floor(Math.log10(amount)) - 1;
  const digits = amount >= 1 ? CENTS : Math.max(CENTS, Math.min(leadingZeros + TELLING_DIGITS, FRACTION_MAX));
  return `${parts.sign}$${amount.toFixed(digits)}`;
}

/** Null for what is no plain decimal number. */
function partsOf(
  usd: string | null,
): { readonly sign: string; readonly whole: string; readonly fraction: string } | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(usd ?? '');
  if (match === null) return null;
  return { sign: match[1] === '-' ? '−' : '', whole: match[2] ?? '0', fraction: match[3] ?? '' };
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
}
