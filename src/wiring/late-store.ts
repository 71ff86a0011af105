import { modeOf } from '../core/store-mode.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { ApiKeysPort } from '../ports/api-keys.ts';
import type { AuditPort } from '../ports/audit.ts';
import type { OperationsPort } from '../ports/operations.ts';
import type { DurableStore, StoreKind } from '../ports/store.ts';
import { encodeAct } from '../store/postgres/replay.ts';

/** A store that is not there yet: every act says so until it arrives. */
export interface LateStore extends DurableStore {
  arrive(store: DurableStore): void;
}

/** Stands in for a store that cannot be reached at start. `why` is what is told until it can, `sinceMs` is by the monotonic clock. */
export function makeLateStore(of: {
  readonly kind: StoreKind;
  readonly sinceMs: number;
  readonly why: () => string;
}): LateStore {
  const { kind, sinceMs, why } = of;
  let arrived: DurableStore | null = null;
  const listening = makeLateListening();
  const store = (): DurableStore => {
    if (arrived === null) throw new StoreUnavailable(why());
    return arrived;
  };
  const absence = () => (arrived === null ? { sinceMs, why: why() } : arrived.absence());
  return {
    kind,
    arrive(present) {
      arrived = present;
      listening.arrive(present);
    },
    adopt: async (registry) => store().adopt(registry),
    look: async (payers) => store().look(payers),
    admit: async (admission) => store().admit(admission),
    dispatch: async (permit) => store().dispatch(permit),
    settle: async (settlement) => store().settle(settlement),
    renew: async (holds) => store().renew(holds),
    claimSimulatedFailure: async (provider) => store().claimSimulatedFailure(provider),
    reap: async (countMax) => (arrived === null ? [] : arrived.reap(countMax)),
    claimKey: async (claim) => store().claimKey(claim),
    endClaim: async (holder, end) => store().endClaim(holder, end),
    forgetKeys: async (countMax) => (arrived === null ? 0 : arrived.forgetKeys(countMax)),
    enterCaller: async (entry) => store().enterCaller(entry),
    leaveCaller: async (leave) => store().leaveCaller(leave),
    askCaller: async (wish) => store().askCaller(wish),
    forgetCallers: async (countMax) => (arrived === null ? 0 : arrived.forgetCallers(countMax)),
    noteWaiting: async (wait) => store().noteWaiting(wait),
    record: async (record) => store().record(record),
    find: async (id) => store().find(id),
    keepContent: async (content, keptMs) => store().keepContent(content, keptMs),
    findContent: async (id) => store().findContent(id),
    forgetContent: async (countMax) => (arrived === null ? 0 : arrived.forgetContent(countMax)),
    page: async (query) => store().page(query),
    analyse: async (query) => store().analyse(query),
    statsOf: async (query) => store().statsOf(query),
    keepLog: async (bounds) => (arrived === null ? { kind: 'hindered', why: why() } : arrived.keepLog(bounds)),
    ...makeLateOperations(store),
    ...makeLateKeys(store),
    onKeysChanged: listening.onKeysChanged,
    range: async () => store().range(),
    tail: async (after, countMax) => store().tail(after, countMax),
    findEvent: async (sequence) => store().findEvent(sequence),
    history: async (provider, page) => store().history(provider, page),
    checkBooks: async (step) => store().checkBooks(step),
    beat: async (heartbeat) => store().beat(heartbeat),
    leave: async () => store().leave(),
    onHint: listening.onHint,
    publish: (topic, text) => arrived?.publish(topic, text),
    onMessage: listening.onMessage,
    encode: encodeAct,
    carryOut: async (text) => store().carryOut(text),
    voidUnsent: async (replica, sent) => store().voidUnsent(replica, sent),
    reserve: async (wish) => store().reserve(wish),
    ping: async () => store().ping(),
    absence,
    mode: () => modeOf(absence()),
    [Symbol.asyncDispose]: async () => arrived?.[Symbol.asyncDispose](),
  };
}

/** The acts of operators, and what they look at. */
function makeLateOperations(store: () => DurableStore): OperationsPort {
  return {
    survey: async () => store().survey(),
    countUnderWay: async (account) => store().countUnderWay(account),
    simulate: async (provider, wish, actor) => store().simulate(provider, wish, actor),
    stopSimulation: async (provider, actor) => store().stopSimulation(provider, actor),
    resetBreaker: async (provider, actor) => store().resetBreaker(provider, actor),
    setEnabled: async (provider, isEnabled, actor) => store().setEnabled(provider, isEnabled, actor),
    setBudget: async (wish, actor) => store().setBudget(wish, actor),
    account: async (key) => store().account(key),
    accountsOf: async (keys) => store().accountsOf(keys),
    accounts: async (query) => store().accounts(query),
  };
}

/** The acts on API keys, and what operators read of all acts. */
function makeLateKeys(store: () => DurableStore): Omit<ApiKeysPort, 'onKeysChanged'> & AuditPort {
  return {
    pageAudit: async (page) => store().pageAudit(page),
    createKey: async (key, actor) => store().createKey(key, actor),
    findKeysByHash: async (hashes) => store().findKeysByHash(hashes),
    findKey: async (id) => store().findKey(id),
    pageKeys: async (page) => store().pageKeys(page),
    revokeKey: async (id, actor) => store().revokeKey(id, actor),
    rotateKey: async (next, rotation, actor) => store().rotateKey(next, rotation, actor),
    touchKeys: async (ids) => store().touchKeys(ids),
    endedKeys: async (withinMs) => store().endedKeys(withinMs),
  };
}

/** Keeps what is listened for until the store is there, and listens then. */
function makeLateListening(): Pick<DurableStore, 'onHint' | 'onMessage' | 'onKeysChanged'> & Pick<LateStore, 'arrive'> {
  let arrived: DurableStore | null = null;
  const begun = new Map<(present: DurableStore) => Disposable, Disposable | null>();
  const listen = (begin: (present: DurableStore) => Disposable): Disposable => {
    begun.set(begin, arrived === null ? null : begin(arrived));
    return {
      [Symbol.dispose]: () => {
        begun.get(begin)?.[Symbol.dispose]();
        begun.delete(begin);
      },
    };
  };
  return {
    arrive(present) {
      arrived = present;
      for (const begin of begun.keys()) begun.set(begin, begin(present));
    },
    onHint: (act) =>
      listen((present) => {
        const heard = present.onHint(act);
        // What was recorded before it arrived.
        act();
        return heard;
      }),
    onKeysChanged: (act) => listen((present) => present.onKeysChanged(act)),
    onMessage: (topic, act) => listen((present) => present.onMessage(topic, act)),
  };
}
