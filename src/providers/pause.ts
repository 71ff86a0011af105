import type { Clock } from '../ports/clock.ts';

/** Waits `ms`, or less when the signal aborts. Null: until it aborts. Leaves neither a timer nor a listener behind. */
export async function pause(of: {
  readonly clock: Clock;
  readonly ms: number | null;
  readonly signal: AbortSignal;
}): Promise<'passed' | 'aborted'> {
  if (of.signal.aborted) return 'aborted';
  if (of.ms !== null && of.ms <= 0) return 'passed';
  const { promise, resolve } = Promise.withResolvers<'passed' | 'aborted'>();
  const onAbort = (): void => resolve('aborted');
  of.signal.addEventListener('abort', onAbort, { once: true });
  using _timer = of.ms === null ? null : of.clock.after(of.ms, () => resolve('passed'));
  try {
    return await promise;
  } finally {
    of.signal.removeEventListener('abort', onAbort);
  }
}
