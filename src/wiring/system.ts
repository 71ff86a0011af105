import { randomUUIDv7 } from 'node:crypto';
import { epochMs } from '../core/time.ts';
import type { Chance, Clock } from '../ports/clock.ts';

/** The machine's own clock. */
export const SYSTEM_CLOCK: Clock = {
  now: () => epochMs(Date.now()),
  elapsedMs: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  soon: (act) => void setImmediate(act),
};

/** The machine's own chance: for jitter and for drawing simulated failures, never for secrets. */
export const SYSTEM_CHANCE: Chance = { next: () => Math.random() };

/** A UUIDv7: unique, and sorted by time. */
export function newUuid(): string {
  return randomUUIDv7();
}
