const COUNT = new Intl.NumberFormat('en');
const COUNT_SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
/** From here on a count is shortened, `1.2M`. */
const SHORT_FROM = 100_000;
/** Between a number and its unit: they stay on one line. */
const GAP = '\u00a0';
/** In place of a number that is not known. */
export const UNKNOWN = '–';

/** `1,204`, `1.2M`. */
export function countText(count: number): string {
  return (Math.abs(count) < SHORT_FROM ? COUNT : COUNT_SHORT).format(count);
}

/** Requests a second: `0.4`, `37`. */
export function rateText(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return '<0.1';
  return perSecond < 10 ? perSecond.toFixed(1) : countText(Math.round(perSecond));
}

/** `99.2 %`. What is not all is never rounded to all, and what is not nothing never to nothing. */
export function shareText(share: number | null): string {
  if (share === null) return UNKNOWN;
  if (share > 0 && share < 0.001) return `<0.1${GAP}%`;
  const tenths = share < 1 ? Math.min(Math.round(share * 1000), 999) : 1000;
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)}${GAP}%`;
}

/** A share without its fraction, for where there is little room: `62 %`. */
export function shareTextShort(share: number | null): string {
  if (share === null) return UNKNOWN;
  if (share > 0 && share < 0.01) return `<1${GAP}%`;
  return `${share < 1 ? Math.min(Math.round(share * 100), 99) : 100}${GAP}%`;
}

/** `1 failure`, `3 failures`. */
export function counted(count: number, noun: string): string {
  return `${countText(count)}${GAP}${count === 1 ? noun : `${noun}s`}`;
}

/** `openai, google and groq`. */
export function listText(names: readonly string[]): string {
  if (names.length <= 1) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
