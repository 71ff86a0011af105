import type { Clock } from '../../ports/clock.ts';

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
