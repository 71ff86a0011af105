import { UNKNOWN } from './number-text.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Between a number and its unit: they stay on one line. */
const GAP = '\u00a0';

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const CLOCK_SHORT = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY_AND_CLOCK = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** By the reader's own clock: `12:03:11`. */
export function clockText(atMs: number): string {
  return CLOCK.format(atMs);
}

/** `12:03`. */
export function clockTextShort(atMs: number): string {
  return CLOCK_SHORT.format(atMs);
}

/** `27 Nov, 12:03:11`. */
export function dayText(atMs: number): string {
  return DAY_AND_CLOCK.format(atMs);
}

/** A span, in its two largest units at most: `812 ms`, `1.8 s`, `42 s`, `3 min 4 s`, `9 h`, `2 d 3 h`. */
export function spanText(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < SECOND_MS) return `${Math.round(ms)}${GAP}ms`;
  // What would be rounded to a minute is written as one.
  if (ms < 59_500) return `${ms < 9_950 ? trimmed((ms / SECOND_MS).toFixed(1)) : Math.round(ms / SECOND_MS)}${GAP}s`;
  if (ms < HOUR_MS) return twoUnits(Math.round(ms / SECOND_MS), ['min', 's', 60]);
  if (ms < DAY_MS) return twoUnits(Math.round(ms / MINUTE_MS), ['h', 'min', 60]);
  return twoUnits(Math.round(ms / HOUR_MS), ['d', 'h', 24]);
}

/** What is left, as on a stop watch: `0:41`, `1:02:03`. Never below zero; the last second is shown until it is over. */
export function countdownText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function twoUnits(small: number, [big, little, per]: readonly [string, string, number]): string {
  const rest = small % per;
  return `${Math.floor(small / per)}${GAP}${big}${rest === 0 ? '' : ` ${rest}${GAP}${little}`}`;
}

function trimmed(text: string): string {
  return text.replace(/\.0$/, '');
}
