import type { Clock } from '../../ports/clock.ts';
import type { DurableStore, Store } from '../../ports/store.ts';
import type { Drainer } from './drainer.ts';

/** How long a read waits at most for what this replica answered before. */
const READ_WAIT_MS = 250;

type Reads = Pick<
  Store,
  | 'find'
  | 'page'
  | 'analyse'
  | 'statsOf'
  | 'survey'
  | 'account'
  | 'accounts'
  | 'range'
  | 'tail'
  | 'findEvent'
  | 'history'
>;

/** The read side, which sees what this replica has answered: who was told of a cost finds it in the log. */
export function readsAfterOwnWrites(store: DurableStore, drainer: Drainer, clock: Clock): Reads {
  const after =
    <Arguments extends readonly unknown[], Result>(read: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      await caughtUpWithin(READ_WAIT_MS, { store, drainer, clock });
      return read(...args);
    };
  return {
    find: after(store.find),
    page: after(store.page),
    analyse: after(store.analyse),
    statsOf: after(store.statsOf),
    survey: after(store.survey),
    account: after(store.account),
    accounts: after(store.accounts),
    range: after(store.range),
    tail: after(store.tail),
    findEvent: after(store.findEvent),
    history: after(store.history),
  };
}

/** Resolves when the store has everything that was kept so far; sooner when that takes too long, or the store is away. */
export async function caughtUpWithin(
  limitMs: number,
  of: { readonly store: DurableStore; readonly drainer: Drainer; readonly clock: Clock },
): Promise<void> {
  if (of.drainer.count() === 0 || of.store.absence() !== null) return;
  const late = Promise.withResolvers<void>();
  using _timer = of.clock.after(limitMs, late.resolve);
  await Promise.race([of.drainer.caughtUp(), late.promise]);
}
