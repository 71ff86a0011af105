import { type EpochMs, later } from './time.ts';

/** A permitted request keeps its slot a little longer than the window it is counted in, so that no 60 s window ever holds more than the limit. */
export const RATE_WINDOW = { windowMs: 60_000, slotMs: 60_250 } as const;

/** A rolling limit: one instant per taken slot, at which the slot is free again. At most `limit` of them lie in the future. */
export interface RateWindow {
  readonly limit: number;
  readonly freeAtMs: readonly EpochMs[];
}

export type RateTake =
  | { readonly kind: 'taken'; readonly window: RateWindow }
  | { readonly kind: 'full'; readonly freeAtMs: EpochMs };

export function makeRateWindow(limit: number): RateWindow {
  return { limit, freeAtMs: [] };
}

/** Slots taken now. */
export function usedOf(window: RateWindow, nowMs: EpochMs): number {
  return window.freeAtMs.filter((freeAtMs) => freeAtMs > nowMs).length;
}

/** When one more request becomes possible. Null when one is possible now. */
export function nextFreeAt(window: RateWindow, nowMs: EpochMs): EpochMs | null {
  const taken = window.freeAtMs.filter((freeAtMs) => freeAtMs > nowMs).toSorted((first, second) => first - second);
  return taken[taken.length - window.limit] ?? null;
}

/** Takes a slot, or says exactly when one is free. */
export function takeSlot(window: RateWindow, nowMs: EpochMs): RateTake {
  const freeAtMs = nextFreeAt(window, nowMs);
  if (freeAtMs !== null) return { kind: 'full', freeAtMs };
  const kept = window.freeAtMs.filter((instant) => instant > nowMs);
  return { kind: 'taken', window: { ...window, freeAtMs: [...kept, later(nowMs, RATE_WINDOW.slotMs)] } };
}

/** The same traffic under another limit: the busiest slots stay taken. */
export function withLimit(window: RateWindow, limit: number): RateWindow {
  const busiest = window.freeAtMs.toSorted((first, second) => second - first).slice(0, limit);
  return { limit, freeAtMs: busiest };
}
