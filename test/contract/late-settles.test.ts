import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { holdId, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { type EpochMs, epochMs, later } from '../../src/core/time.ts';
import type { Charge, Settlement } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { alone } from '../support/alone.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

// Settles that come after their hold has expired, on both stores: what they still change, and what not any more.

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 1_000 }));
const REPLICA = replicaId('one');
const START = epochMs(Date.UTC(2026, 0, 30, 12));
const PROVIDER = REGISTRY.providers[0]!.key;
const CAP = picoUsd(10_000n);
const ATTEMPT_MS = 1_000;
const ACTOR = { name: 'tester', reason: null };

let database: StoreDatabase;
let onPostgres: Store;
let now: EpochMs = START;

beforeAll(async () => {
  database = await makeStoreDatabase(START);
  onPostgres = await openTestStore({
    kind: 'postgres',
    url: database.url,
    registry: REGISTRY,
    replica: REPLICA,
    log: SILENT_LOG,
  });
});

afterAll(async () => {
  await onPostgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

beforeEach(() => moveTo(START));

async function moveTo(instant: EpochMs): Promise<void> {
  now = instant;
  await database.setClock(instant);
}

describe.each<[string, () => Store]>([
  ['memory', () => makeMemoryStore({ registry: REGISTRY, now: () => now, replica: REPLICA })],
  ['postgres', () => onPostgres],
])('a settle after the expiry, on %s', (_name, open) => {
  let store: Store;
  let account = userAccount('nobody');

  beforeEach(async () => {
    store = open();
    account = userAccount(newUuid());
    await store.resetBreaker(PROVIDER, ACTOR);
  });

  async function hold(amount: bigint) {
    const bound = { input: picoUsd(amount), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
    const admitted = await store.admit({
      requestId: requestId(newUuid()),
      attempt: 1,
      holdId: holdId(newUuid()),
      account,
      also: [],
      defaultCap: CAP,
      ceiling: null,
      candidates: [{ provider: PROVIDER, model: 'a-1', bound }],
      attemptMs: ATTEMPT_MS,
    });
    if (admitted.kind !== 'admitted') throw new Error('refused');
    return admitted.permit.holdId;
  }

  async function expire() {
    await moveTo(later(now, ATTEMPT_MS + 30_000));
    await store.reap(100);
  }

  function settle(id: ReturnType<typeof holdId>, charge: Charge, standing: Partial<Settlement> = {}) {
    const neutral = { verdict: { kind: 'neutral' }, jitter: 0, throttledForMs: null, setAside: null } as const;
    return store.settle({ holdId: id, charge, ...neutral, ...standing });
  }

  const spent = (amount: bigint): Charge => ({ kind: 'spent', amount: picoUsd(amount), source: 'reported' });
  const posted = async (): Promise<PicoUsd> => (await store.account(account)).posted;

  test('corrects the money, and says nothing of the provider any more', async () => {
    const holds = [await hold(500n), await hold(500n), await hold(500n), await hold(500n)];
    await expire();
    const failure = { kind: 'failure', retryAfterMs: null, isSimulated: false } as const;
    for (const id of holds) {
      const told = await settle(id, spent(100n), {
        verdict: failure,
        throttledForMs: 60_000,
        setAside: '401 bad key',
      });
      expect(told).toMatchObject({ kind: 'settled', posted: 100n, transition: null, isStale: true });
      // Nor does a second one, which does not even correct.
      expect(await settle(id, spent(0n), { verdict: failure, throttledForMs: 60_000 })).toEqual({
        kind: 'alreadySettled',
      });
    }
    expect(await posted()).toBe(400n);
    const [state] = (await store.look(alone(account))).providers;
    expect(state).toMatchObject({
      breaker: { circuit: { kind: 'closed', fails: 0 } },
      throttledUntilMs: null,
      setAside: null,
    });
  });

  test('gives a probe back that nobody else has taken meanwhile, and does not close the breaker', async () => {
    const failure = { kind: 'failure', retryAfterMs: null, isSimulated: false } as const;
    for (let count = 0; count < 3; count += 1) {
      await settle(await hold(1n), { kind: 'nothing' }, { verdict: failure });
    }
    await moveTo(later(now, 61_000));
    const probe = await hold(1n);
    await expire();
    expect(await settle(probe, spent(1n), { verdict: { kind: 'success' } })).toMatchObject({ transition: null });
    const [state] = (await store.look(alone(account))).providers;
    expect(state?.breaker.circuit).toMatchObject({ kind: 'halfOpen', probe: null });
  });

  test('of an earlier period does not come off the present one', async () => {
    await store.setBudget({ account, cap: CAP, period: 'daily', resetUsage: false }, ACTOR);
    const yesterday = [await hold(500n), await hold(500n), await hold(0n)];
    await expire();
    expect(await posted()).toBe(1_000n);
    await moveTo(later(START, 86_400_000));
    await settle(await hold(700n), spent(700n));
    expect(await settle(yesterday[0]!, spent(100n))).toMatchObject({ kind: 'settled', posted: 100n });
    expect(await settle(yesterday[1]!, { kind: 'nothing' })).toMatchObject({ kind: 'settled', posted: 0n });
    expect(await posted()).toBe(700n);
    // What was billed above its hold is posted when it is known.
    await settle(yesterday[2]!, spent(40n));
    expect(await posted()).toBe(740n);
  });

  test('of what was forgotten on purpose does not come off what was spent since, also when the budget changes again', async () => {
    await store.setBudget({ account, cap: CAP, period: 'daily', resetUsage: false }, ACTOR);
    const forgotten = await hold(500n);
    await expire();
    await moveTo(later(now, 1));
    await store.setBudget({ account, cap: CAP, period: 'daily', resetUsage: true }, ACTOR);
    const since = await hold(400n);
    await expire();
    await store.setBudget({ account, cap: picoUsd(CAP + 1n), period: 'daily', resetUsage: false }, ACTOR);
    await settle(forgotten, spent(100n));
    expect(await posted()).toBe(400n);
    await settle(since, spent(100n));
    expect(await posted()).toBe(100n);
  });
});
