import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccountKey, holdId, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { modeOf, type StoreAbsence } from '../../src/core/store-mode.ts';
import { later } from '../../src/core/time.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import type { Admitted, Charge, Settlement } from '../../src/ports/admission.ts';
import type { Log } from '../../src/ports/log.ts';
import type { DurableStore, Store } from '../../src/ports/store.ts';
import { openJournaledStore } from '../../src/store/journal/open.ts';
import { makeOutageStore } from '../../src/store/outage/outage-store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { type FakeClock, makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { quiet, usd } from './gateway-kit.ts';
import { openTestStore } from './open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from './registries.ts';
import { wrongBooks } from './reserve-kit.ts';
import { makeStoreDatabase, type StoreDatabase } from './store-database.ts';

// One replica on a real PostgreSQL that a test takes away from it. One clock moves both.

export const OUTAGE_REGISTRY = makeRegistry(
  makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 400 }),
  makeProvider('b', [makeModel('b-1', '1')], { requestsPerMinute: 40 }),
);
export const [A, B] = [OUTAGE_REGISTRY.providers[0]!.key, OUTAGE_REGISTRY.providers[1]!.key];
export const OUTAGE_CAP = usd('1.00');
export const SLICE_MAX = usd('0.04');
const AWAY: StoreAbsence = { sinceMs: 0, why: 'the test says so' };

const STEP_MS = 2_000;

/** A store that a test takes away. */
function withoutWarning(store: DurableStore) {
  let absence: StoreAbsence | null = null;
  let isSilent = false;
  const underWay = new Set<Promise<unknown>>();
  const reach = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    if (absence !== null || isSilent) throw new StoreUnavailable('the test says so');
    const answer = ask();
    underWay.add(answer);
    try {
      return await answer;
    } finally {
      underWay.delete(answer);
    }
  };
  const cut: DurableStore = {
    ...store,
    look: (account) => reach(() => store.look(account)),
    admit: (admission) => reach(() => store.admit(admission)),
    reserve: (wish) => reach(() => store.reserve(wish)),
    carryOut: (text) => reach(() => store.carryOut(text)),
    absence: () => absence,
    mode: () => modeOf(absence),
  };
  return {
    cut,
    /** Resolves when nothing is asked any more. */
    async rest() {
      do {
        await Promise.allSettled(underWay);
        await quiet();
      } while (underWay.size > 0);
    },
    /** As replicas know it after they found out. */
    leave: () => {
      absence = AWAY;
    },
    /** As it is before that: nothing is answered, and nobody knows yet. */
    fallSilent: () => {
      isSilent = true;
    },
    comeBack: () => {
      absence = null;
      isSilent = false;
    },
  };
}

export type OutageKit = Awaited<ReturnType<typeof makeOutageKit>>;

export async function makeOutageKit() {
  const stack = new AsyncDisposableStack();
  const clock = makeFakeClock();
  const database = stack.use(await makeStoreDatabase(clock.now()));
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-outage-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const logged: string[] = [];
  const note = (message: string, fields: unknown) => logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { ...SILENT_LOG, warn: note, error: note, with: () => log };
  const start = async () => startReplica({ database, dataDir, clock, log });
  const replica = stack.use(await start());
  return {
    ...replica,
    ...actsOn(replica.store),
    database,
    logged,
    clock,
    start,
    /** Both clocks move on; what falls due is done. */
    async wait(ms: number) {
      for (let left = ms; left > 0; left -= STEP_MS) {
        const stepMs = Math.min(left, STEP_MS);
        await database.setClock(later(clock.now(), stepMs));
        clock.advance(stepMs);
        await replica.way.rest();
      }
    },
    wrongBooks: () => wrongBooks(database.sql, OUTAGE_CAP),
    async moneyOf(user: string) {
      const [row] = await database.sql`select posted::text, held::text from switchyard.account
        where key = ${userAccount(user)}`;
      return { posted: BigInt(row?.posted ?? 0), held: BigInt(row?.held ?? 0) };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function startReplica(of: {
  readonly database: StoreDatabase;
  readonly dataDir: string;
  readonly clock: FakeClock;
  readonly log: Log;
}) {
  const { clock, log, dataDir } = of;
  const replica = replicaId(newUuid());
  const durable = await openTestStore({
    kind: 'postgres',
    url: of.database.url,
    registry: OUTAGE_REGISTRY,
    replica,
    log: SILENT_LOG,
  });
  const { cut, ...way } = withoutWarning(durable);
  const journaled = await openJournaledStore({ store: cut, dataDir, replica, clock, log, told: () => undefined });
  const store = makeOutageStore({
    store: journaled.store,
    registry: OUTAGE_REGISTRY,
    replica,
    clock,
    log,
    amountMax: SLICE_MAX,
    newHoldId: () => holdId(newUuid()),
  });
  let isEnded = false;
  const end = async () => {
    if (isEnded) return;
    isEnded = true;
    let isOver = false;
    const over = Promise.resolve(store[Symbol.asyncDispose]()).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      clock.advance(100);
      await quiet();
    }
    await over;
  };
  return {
    store,
    way,
    durable,
    /** As at the end of a process. */
    end,
    async [Symbol.asyncDispose]() {
      way.comeBack();
      await end();
    },
  };
}

/** What the gateway does with a store, in short. */
function actsOn(store: Store) {
  const admit = (account: AccountKey, amount: bigint, provider = A, also: readonly AccountKey[] = []) => {
    const bound = { input: picoUsd(amount), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
    return store.admit({
      requestId: requestId(newUuid()),
      attempt: 1,
      holdId: holdId(newUuid()),
      account,
      also,
      defaultCap: OUTAGE_CAP,
      ceiling: null,
      candidates: [{ provider, model: `${provider}-1`, bound }],
      attemptMs: 5_000,
    });
  };
  const settle = (admitted: Admitted, charge: Charge, change: Partial<Settlement> = {}) =>
    store.settle({
      holdId: permitOf(admitted).holdId,
      charge,
      verdict: { kind: 'success' },
      jitter: 0,
      throttledForMs: null,
      setAside: null,
      ...change,
    });
  return {
    admit: (user: string, amount: bigint, provider = A) => admit(userAccount(user), amount, provider),
    settle,
    /** One attempt from beginning to end. Answers how it was settled. */
    async spend(user: string, held: bigint, spent: bigint, also: readonly AccountKey[] = []) {
      const admitted = await admit(userAccount(user), held, A, also);
      await store.dispatch(permitOf(admitted));
      return settle(admitted, { kind: 'spent', amount: picoUsd(spent), source: 'reported' });
    },
  };
}

export function permitOf(admitted: Admitted) {
  if (admitted.kind !== 'admitted')
    throw new Error(`not admitted: ${admitted.refusals.map(({ why }) => why.kind).join()}`);
  return admitted.permit;
}
