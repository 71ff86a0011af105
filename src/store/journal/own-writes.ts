import type { Clock } from '../../ports/clock.ts';
import type { DurableStore, Store } from '../../ports/store.ts';
import { atMost } from '../time-limit.ts';
import type { Drainers } from './drainer.ts';

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
  | 'accountsOf'
  | 'countUnderWay'
  | 'range'
  | 'tail'
  | 'findEvent'
  | 'history'
>;

interface Waiting {
  readonly store: DurableStore;
  readonly drainers: Drainers;
  readonly clock: Clock;
}

/** The read side, which sees what this replica has answered: who was told of a cost finds it in the log. */
export function readsAfterOwnWrites(of: Waiting): Reads {
  const { store } = of;
  const after =
    <Arguments extends readonly unknown[], Result>(read: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      await caughtUpWithin(READ_WAIT_MS, of);
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
    accountsOf: after(store.accountsOf),
    countUnderWay: after(store.countUnderWay),
    range: after(store.range),
    tail: after(store.tail),
    findEvent: after(store.findEvent),
    history: after(store.history),
  };
}

/** Resolves when the store has everything that was kept so far; sooner when that takes too long, or the store is away. */
export async function caughtUpWithin(limitMs: number, { store, drainers, clock }: Waiting): Promise<void> {
  const busy = Object.values(drainers).filter((drainer) => drainer.count() > 0);
  if (busy.length === 0 || store.absence() !== null) return;
  await atMost(limitMs, clock, Promise.all(busy.map((drainer) => drainer.caughtUp())));
}
