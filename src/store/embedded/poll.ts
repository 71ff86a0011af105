import { setTimeout as sleep } from 'node:timers/promises';

interface PollLimits {
  readonly timeoutMs: number;
  readonly everyMs: number;
}

/**
 * Looks until something is there; null when the time is up. Foreign processes live in real time, so this one place uses
 * the machine's clock instead of an injected one.
 */
export async function pollUntil<T>(look: () => Promise<T | null>, limits: PollLimits): Promise<T | null> {
  const endsAtMs = performance.now() + limits.timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() >= endsAtMs) return null;
    await sleep(limits.everyMs);
  }
}

/** The promise's value, or null when it is not there in time. The promise must not reject. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | null> {
  const cancel = new AbortController();
  try {
    return await Promise.race([promise, sleep(timeoutMs, null, { signal: cancel.signal })]);
  } finally {
    cancel.abort();
  }
}
