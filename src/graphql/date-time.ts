import { type EpochMs, epochMs } from '../core/time.ts';

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

const MINUTE_MS = 60_000;

/** Reads an RFC 3339 moment with an offset. Digits below a millisecond are cut off. Null when the text is none. */
export function parseDateTime(text: string): EpochMs | null {
  const match = RFC_3339.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offsetMs = parseOffset(match[8] ?? 'Z');
  if (offsetMs === null || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  const midnightMs = Date.UTC(2000, month - 1, day);
  // A leap year first, since Date.UTC reads the years 0 to 99 as 1900 to 1999.
  const date = new Date(midnightMs);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return epochMs(date.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000 + fractionMs - offsetMs);
}

/** Writes a moment in UTC, to the millisecond. */
export function formatDateTime(instant: EpochMs): string {
  return new Date(instant).toISOString();
}

function parseOffset(text: string): number | null {
  if (text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  const sign = text.startsWith('-') ? -1 : 1;
  return sign * (hours * 60 + minutes) * MINUTE_MS;
}
