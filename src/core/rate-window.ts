import { type EpochMs, later } from './time.ts';

/** A permitted request keeps its slot a little longer than the window it is counted in, so that no 60 s window ever holds more than the limit. */
export const RATE_WINDOW = { windowMs: 60_000, slotMs: 60_250 } as const;

/** A rolling limit: one instant per taken slot, at which the slot is free again; the soonest first. Never more than `limit` of them lie in the future. */
export interface RateWindow {
  readonly limit: number;
  readonly freeAtMs: readonly EpochMs[];
  /** Until when slots are taken that went when the limit was lowered. Null: none was. */
  readonly removedUntilMs: EpochMs | null;
}

export type RateTake =
  | { readonly kind: 'taken'; readonly window: RateWindow }
  | { readonly kind: 'full'; readonly freeAtMs: EpochMs };

export function makeRateWindow(limit: number): RateWindow {
  return { limit, freeAtMs: [], removedUntilMs: null };
}

/** Slots taken now. */
export function usedOf(window: RateWindow, nowMs: EpochMs): number {
  return window.freeAtMs.length - placeAfter(window.freeAtMs, nowMs);
}

/** When one more request becomes possible. Null when one is possible now. */
export function nextFreeAt(window: RateWindow, nowMs: EpochMs): EpochMs | null {
  const { freeAtMs, limit } = window;
  return usedOf(window, nowMs) < limit ? null : (freeAtMs[freeAtMs.length - limit] ?? null);
}

/** Takes a slot, or says exactly when one is free. */
export function takeSlot(window: RateWindow, nowMs: EpochMs): RateTake {
  const fullUntilMs = nextFreeAt(window, nowMs);
  if (fullUntilMs !== null) return { kind: 'full', freeAtMs: fullUntilMs };
  const taken = window.freeAtMs.slice(placeAfter(window.freeAtMs, nowMs));
  const slotFreeAtMs = later(nowMs, RATE_WINDOW.slotMs);
  // The newest slot is the last to be free, unless the clock was set back.
  taken.splice(placeAfter(taken, slotFreeAtMs), 0, slotFreeAtMs);
  return { kind: 'taken', window: { ...window, freeAtMs: taken } };
}

/**
 * The same traffic under another limit. A lowered one keeps the slots that are free last; when it is raised again, what is added is
 * free when what was taken away would have been: no window of time holds more than the limit of its end.
 */
export function withLimit(window: RateWindow, limit: number, nowMs: EpochMs): RateWindow {
  const taken = window.freeAtMs.slice(placeAfter(window.freeAtMs, nowMs));
  const { removedUntilMs } = window;
  if (limit < window.limit) {
    const removed = Math.max(0, taken.length - limit);
    const lastMs = taken[removed - 1] ?? null;
    const isLater = lastMs !== null && lastMs > (removedUntilMs ?? 0);
    return { limit, freeAtMs: taken.slice(removed), removedUntilMs: isLater ? lastMs : removedUntilMs };
  }
  if (removedUntilMs === null || removedUntilMs <= nowMs) return { ...window, limit, freeAtMs: taken };
  const place = placeAfter(taken, removedUntilMs);
  const added = Array.from({ length: limit - window.limit }, () => removedUntilMs);
  return { limit, freeAtMs: taken.toSpliced(place, 0, ...added), removedUntilMs };
}

/** The place of the first instant after `instant` in a sorted list. */
function placeAfter(instants: readonly EpochMs[], instant: EpochMs): number {
  let low = 0;
  let high = instants.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((instants[middle] ?? instant) > instant) high = middle;
    else low = middle + 1;
  }
  return low;
}
