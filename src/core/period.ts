import { type EpochMs, epochMs } from './time.ts';

export const PERIODS = ['total', 'daily', 'weekly', 'monthly'] as const;

/** How often a budget starts again. Boundaries are UTC: midnight, Monday, the first. */
export type Period = (typeof PERIODS)[number];

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday: the first Monday came four days later. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The boundary at or before an instant. `total` has none: the instant itself. */
export function periodStart(period: Period, instant: EpochMs): EpochMs {
  switch (period) {
    case 'total':
      return instant;
    case 'daily':
      return floorTo(instant, DAY_MS, 0);
    case 'weekly':
      return floorTo(instant, 7 * DAY_MS, FIRST_MONDAY_MS);
    case 'monthly':
      return monthStart(instant, 0);
    default:
      return period satisfies never;
  }
}

/** The first boundary after an instant. Null for `total`. */
export function nextPeriodStart(period: Period, instant: EpochMs): EpochMs | null {
  switch (period) {
    case 'total':
      return null;
    case 'daily':
      return epochMs(floorTo(instant, DAY_MS, 0) + DAY_MS);
    case 'weekly':
      return epochMs(floorTo(instant, 7 * DAY_MS, FIRST_MONDAY_MS) + 7 * DAY_MS);
    case 'monthly':
      return monthStart(instant, 1);
    default:
      return period satisfies never;
  }
}

function floorTo(instant: EpochMs, stepMs: number, offsetMs: number): EpochMs {
  return epochMs(Math.floor((instant - offsetMs) / stepMs) * stepMs + offsetMs);
}

/** The first of the month that lies `months` after the month of an instant. */
function monthStart(instant: EpochMs, months: number): EpochMs {
  const day = new Date(instant);
  return epochMs(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months, 1));
}
