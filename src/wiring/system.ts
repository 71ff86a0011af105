import { createHash, randomBytes as nodeRandomBytes, randomUUIDv7 } from 'node:crypto';
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

/** SHA-256 of a text, in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Random bytes that nobody can guess. */
export function randomBytes(count: number): Uint8Array {
  return nodeRandomBytes(count);
}

/** A UUIDv7: unique, and sorted by time. */
export function newUuid(): string {
  return randomUUIDv7();
}
