import type { EpochMs } from '../core/time.ts';

/** Time as the process sees it. Tests hand in one that they move by hand. */
export interface Clock {
  now(): EpochMs;
  /** Milliseconds with a fraction from an arbitrary start; never goes back. For measuring spans. */
  elapsedMs(): number;
  /** Runs `act` once after `delayMs`, unless the handle is disposed first. */
  after(delayMs: number, act: () => void): Disposable;
  /** Runs `act` as soon as everything that waits already has had its turn. No time passes. */
  soon(act: () => void): void;
}

/** Chance: a number from 0 up to, not including, 1. */
export interface Chance {
  next(): number;
}
