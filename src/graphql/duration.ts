const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A day more than ten years, so that nobody needs more and every sum stays a safe integer. */
export const DURATION_LIMITS = { msMin: 1, msMax: 3_661 * DAY_MS } as const;

const SHORT_UNITS: ReadonlyMap<string, number> = new Map([
  ['s', SECOND_MS],
  ['m', MINUTE_MS],
  ['h', HOUR_MS],
  ['d', DAY_MS],
]);

const SHORT = /^(\d{1,12})([a-zA-Z]+)$/;
const ISO =
  /^P(?=[\dT])(?:(\d{1,12})W)?(?:(\d{1,12})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{1,3}))?S)?)?$/;
const ISO_CALENDAR = /^P[\dDW]*\d[YM]/;

export type ParsedDuration =
  | { readonly kind: 'parsed'; readonly ms: number }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads `PT15M`, `P7D`, `30s`, `15m`, `24h` or `7d`. A refusal says what to write instead. */
export function parseDuration(text: string): ParsedDuration {
  const parsed = parseShort(text) ?? parseIso(text);
  if (parsed.kind === 'refused') return parsed;
  const { msMin, msMax } = DURATION_LIMITS;
  if (parsed.ms >= msMin && parsed.ms <= msMax) return parsed;
  return refused(`"${text}" is out of bounds: a span is from 0.001 seconds to ${msMax / DAY_MS} days`);
}

/** Writes milliseconds as ISO 8601, in days, hours, minutes and seconds: `PT15M`, `P7D`, `PT0.25S`. */
export function formatDuration(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = (ms % MINUTE_MS) / SECOND_MS;
  const date = days === 0 ? '' : `${days}D`;
  const time = [part(hours, 'H'), part(minutes, 'M'), part(seconds, 'S')].join('');
  if (date === '' && time === '') return 'PT0S';
  return `P${date}${time === '' ? '' : `T${time}`}`;
}

function part(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`;
}

/** Null when the text is not of the short form at all. */
function parseShort(text: string): ParsedDuration | null {
  const [, digits = '', unit = ''] = SHORT.exec(text) ?? [];
  if (unit === '') return null;
  if (unit === 'M') {
    return refused(`"${text}" is ambiguous: write ${digits}m for minutes, or days such as 30d instead of months`);
  }
  const unitMs = SHORT_UNITS.get(unit);
  if (unitMs === undefined)
    return refused(`"${unit}" is no unit: write s, m, h or d, such as 15m, or ISO 8601, such as PT15M`);
  return { kind: 'parsed', ms: Number(digits) * unitMs };
}

function parseIso(text: string): ParsedDuration {
  if (ISO_CALENDAR.test(text)) {
    return refused(`"${text}" counts months or years, which differ in length: write days, such as P30D`);
  }
  const match = ISO.exec(text);
  if (match === null) {
    return refused(
      `"${text.slice(0, 40)}" is no span of time: write 30s, 15m, 24h, 7d, or ISO 8601 such as PT15M or P7D`,
    );
  }
  const [weeks, days, hours, minutes, seconds] = match.slice(1, 6).map((digits) => Number(digits ?? 0));
  const fractionMs = Number((match[6] ?? '').padEnd(3, '0'));
  const ms =
    ((weeks ?? 0) * 7 + (days ?? 0)) * DAY_MS +
    (hours ?? 0) * HOUR_MS +
    (minutes ?? 0) * MINUTE_MS +
    (seconds ?? 0) * SECOND_MS +
    fractionMs;
  return { kind: 'parsed', ms };
}

function refused(why: string): ParsedDuration {
  return { kind: 'refused', why };
}
