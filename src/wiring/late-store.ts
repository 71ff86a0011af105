import { StoreUnavailable } from '../core/store-unavailable.ts';
import type { Store, StoreKind } from '../ports/store.ts';

/** A store that is not there yet: every act says so until it arrives. */
export interface LateStore extends Store {
  arrive(store: Store): void;
}

/** Stands in for a store that cannot be reached at start. `why` is what is told until it can. */
export function makeLateStore(kind: StoreKind, why: () => string): LateStore {
  let arrived: Store | null = null;
  /** Who waits for hints, and how to stop it once the store is there. */
  const hints = new Map<() => void, Disposable | null>();
  const store = (): Store => {
    if (arrived === null) throw new StoreUnavailable(why());
    return arrived;
  };
  return {
    kind,
    arrive(present) {
      arrived = present;
      for (const hint of hints.keys()) {
        hints.set(hint, present.onHint(hint));
        hint();
      }
    },
    look: async (account) => store().look(account),
    admit: async (admission) => store().admit(admission),
    settle: async (settlement) => store().settle(settlement),
    claimSimulatedFailure: async (provider) => store().claimSimulatedFailure(provider),
    reap: async (countMax) => (arrived === null ? [] : arrived.reap(countMax)),
    record: async (record) => store().record(record),
    find: async (id) => store().find(id),
    page: async (query) => store().page(query),
    analyse: async (query) => store().analyse(query),
    statsOf: async (provider, window) => store().statsOf(provider, window),
    keepLog: async (bounds) => (arrived === null ? { kind: 'hindered', why: why() } : arrived.keepLog(bounds)),
    survey: async () => store().survey(),
    simulate: async (provider, wish, actor) => store().simulate(provider, wish, actor),
    stopSimulation: async (provider, actor) => store().stopSimulation(provider, actor),
    resetBreaker: async (provider, actor) => store().resetBreaker(provider, actor),
    setEnabled: async (provider, isEnabled, actor) => store().setEnabled(provider, isEnabled, actor),
    setBudget: async (wish, actor) => store().setBudget(wish, actor),
    account: async (key) => store().account(key),
    accounts: async (query) => store().accounts(query),
    range: async () => store().range(),
    tail: async (after, countMax) => store().tail(after, countMax),
    findEvent: async (sequence) => store().findEvent(sequence),
    history: async (provider, page) => store().history(provider, page),
    onHint(act) {
      hints.set(act, arrived?.onHint(act) ?? null);
      return {
        [Symbol.dispose]: () => {
          hints.get(act)?.[Symbol.dispose]();
          hints.delete(act);
        },
      };
    },
    ping: async () => store().ping(),
    [Symbol.asyncDispose]: async () => arrived?.[Symbol.asyncDispose](),
  };
}
