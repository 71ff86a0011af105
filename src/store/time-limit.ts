import type { Clock } from '../ports/clock.ts';

/** The answer did not come in time. What was asked may have been done all the same. */
export class Late extends Error {}

/** Settles as `work` does, but no later than `limitMs`: the client has no limit of its own for a connection that swallows everything. */
export async function within<Result>(
  work: PromiseLike<Result>,
  of: { readonly limitMs: number; readonly clock: Pick<Clock, 'after'> },
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  using _timer = of.clock.after(of.limitMs, () => late.reject(new Late(`no answer within ${of.limitMs} ms`)));
  // Awaited here: the timer must outlive the wait.
  return await Promise.race([work, late.promise]);
}

/** Waits for `work`, but no longer than `limitMs`: it goes on, and whoever waited does too. Rejects as the work does in that time. */
export async function atMost(limitMs: number, clock: Pick<Clock, 'after'>, work: PromiseLike<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _timer = clock.after(limitMs, late.resolve);
  await Promise.race([work, late.promise]);
}
