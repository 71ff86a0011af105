import { describe, expect, test } from 'vitest';
import { holdId, providerKey, requestId, userAccount } from '../../src/core/ids.ts';
import { formatUsd, picoUsd } from '../../src/core/money.ts';
import { epochMs } from '../../src/core/time.ts';
import { startReaper } from '../../src/gateway/reaper.ts';
import type { Charge } from '../../src/ports/admission.ts';
import type { ProviderPort, ProviderResult } from '../../src/ports/provider.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { makeFakeMeters } from '../fakes/meters.ts';
import { makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')], { requestsPerMinute: 10_000 }));
const ANN = userAccount('ann');
const CAP = usd('1');
const DUE_MS = 31_000;

/** A store whose time a test moves. */
async function makeStore(kind: 'memory' | 'postgres', opened: AsyncDisposableStack) {
  let now = epochMs(Date.UTC(2026, 0, 1));
  if (kind === 'memory') {
    const store = makeMemoryStore({ registry: REGISTRY, now: () => now, replica: REPLICA });
    const advance = async (ms: number) => {
      now = epochMs(now + ms);
    };
    return { store, advance };
  }
  const database = opened.use(await makeStoreDatabase(now));
  const options = { kind, url: database.url, registry: REGISTRY, replica: REPLICA, log: SILENT_LOG };
  const store = opened.use(await openTestStore(options));
  const advance = async (ms: number) => {
    now = epochMs(now + ms);
    await database.setClock(now);
  };
  return { store, advance };
}

/** Holds money for an attempt of one second. */
async function hold(store: Store, amount: bigint) {
  const id = holdId(newUuid());
  const admitted = await store.admit({
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: id,
    account: ANN,
    also: [],
    defaultCap: CAP,
    ceiling: null,
    candidates: [
      {
        provider: providerKey('a'),
        model: 'm',
        bound: { input: picoUsd(amount), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 },
      },
    ],
    attemptMs: 1_000,
  });
  expect(admitted.kind).toBe('admitted');
  return id;
}

function settle(store: Store, id: ReturnType<typeof holdId>, charge: Charge) {
  const rest = { verdict: { kind: 'neutral' }, jitter: 0, throttledForMs: null, setAside: null } as const;
  return store.settle({ holdId: id, charge, ...rest });
}

async function moneyOf(store: Store) {
  const { posted, held } = await store.account(ANN);
  return { posted, held };
}

describe.each(['memory', 'postgres'] as const)('on %s, a hold that nobody settled', (kind) => {
  test('is posted in full when it is due, never given back, and not a millisecond before', async () => {
    await using opened = new AsyncDisposableStack();
    const { store, advance } = await makeStore(kind, opened);
    const id = await hold(store, 700n);
    await advance(DUE_MS - 1);
    expect(await store.reap(100)).toEqual([]);
    expect(await moneyOf(store)).toEqual({ posted: 0n, held: 700n });
    await advance(1);
    expect(await store.reap(100)).toMatchObject([{ holdId: id, account: ANN, amount: 700n }]);
    expect(await moneyOf(store)).toEqual({ posted: 700n, held: 0n });
    expect(await store.reap(100)).toEqual([]);
  });

  test('is corrected exactly by a late settle, and a second settle changes nothing', async () => {
    await using opened = new AsyncDisposableStack();
    const { store, advance } = await makeStore(kind, opened);
    const late: readonly (readonly [Charge, bigint])[] = [
      [{ kind: 'spent', amount: picoUsd(250n), source: 'reported' }, 250n],
      [{ kind: 'spent', amount: picoUsd(900n), source: 'reported' }, 900n],
      [{ kind: 'nothing' }, 0n],
      [{ kind: 'hold' }, 700n],
    ];
    let posted = 0n;
    for (const [charge, amount] of late) {
      const id = await hold(store, 700n);
      await advance(DUE_MS);
      await store.reap(100);
      expect(await moneyOf(store)).toEqual({ posted: posted + 700n, held: 0n });
      posted += amount;
      expect(await settle(store, id, charge)).toMatchObject({ kind: 'settled', posted: amount });
      expect(await moneyOf(store)).toEqual({ posted, held: 0n });
      for (const again of [charge, { kind: 'hold' } as const, { kind: 'nothing' } as const]) {
        expect(await settle(store, id, again)).toEqual({ kind: 'alreadySettled' });
      }
      expect(await moneyOf(store)).toEqual({ posted, held: 0n });
    }
  });

  test('does not keep others: only due ones are ended, and a settled one is never posted again', async () => {
    await using opened = new AsyncDisposableStack();
    const { store, advance } = await makeStore(kind, opened);
    const settled = await hold(store, 100n);
    await hold(store, 200n);
    await settle(store, settled, { kind: 'spent', amount: picoUsd(60n), source: 'reported' });
    await advance(DUE_MS - 1);
    await hold(store, 400n);
    await advance(1);
    expect((await store.reap(100)).map(({ amount }) => amount)).toEqual([200n]);
    expect(await moneyOf(store)).toEqual({ posted: 260n, held: 400n });
  });
});

test('the reaper looks every five seconds, and ends any number of due holds in batches', async () => {
  const clock = makeFakeClock();
  const store = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  const meters = makeFakeMeters();
  await using _reaper = startReaper({ store, clock, log: SILENT_LOG, meters });
  await quiet();
  for (let made = 0; made < 450; made += 1) await hold(store, 1n);
  clock.advance(30_000);
  await quiet();
  expect(await moneyOf(store)).toEqual({ posted: 0n, held: 450n });
  clock.advance(5_000);
  await quiet();
  expect(await moneyOf(store)).toEqual({ posted: 450n, held: 0n });
  expect(meters.shown('holdsExpired')).toBe(450);
});

test('an answer that comes after its hold expired is still given, and its account is corrected to what it cost', async () => {
  const gate = Promise.withResolvers<void>();
  const deaf: ProviderPort = {
    key: providerKey('a'),
    inputTokensMax: () => 1_000,
    // Does not mind that it is asked to stop, as a broken adapter might.
    call: async (): Promise<ProviderResult> => {
      await gate.promise;
      const tokens = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
      const usage = { ...tokens, source: 'reported' } as const;
      return {
        kind: 'answered',
        answer: {
          text: 'late',
          refusal: null,
          toolCalls: [],
          logprobs: null,
          finishReason: 'stop',
          usage,
          warnings: [],
        },
      };
    },
  };
  await using kit = makeGatewayKit({ registry: REGISTRY, providers: new Map([[deaf.key, deaf]]) });
  const chat = kit.chat({ prompt: 'hello', userId: 'ann', timeoutMs: 1_000 });
  await quiet();
  const heldMoney = (await kit.store.account(userAccount('ann'))).held;
  expect(formatUsd(heldMoney)).toBe('0.001');
  for (let round = 0; round < 8; round += 1) {
    kit.clock.advance(5_000);
    await quiet();
  }
  expect(await moneyOf(kit.store)).toEqual({ posted: heldMoney, held: 0n });
  gate.resolve();
  const outcome = await chat;
  expect(outcome).toMatchObject({ kind: 'answered', cost: { total: usd('0.00001') } });
  expect(await moneyOf(kit.store)).toEqual({ posted: usd('0.00001'), held: 0n });
});
