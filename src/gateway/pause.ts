import type { Clock } from '../ports/clock.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Resolves when the time is over, or at once when the signal aborts. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  using _timer = clock.after(ms, over.resolve);
  await unlessAborted(over.promise, signal);
}
