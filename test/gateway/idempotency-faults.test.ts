import { describe, expect, test } from 'vitest';
import { KEY_LIMITS } from '../../src/core/idempotency.ts';
import { providerKey, userAccount } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeScriptedProvider } from '../fakes/provider.ts';
import { makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

const KEYED: RawChat = { prompt: 'hello', userId: 'ann', routing: { only: ['a'] }, idempotencyKey: 'k-1' };
/** Of 10 tokens of input and 5 of output at a. */
const COST = usd('0.00006');

/** A gateway on a memory store that a test bends. */
function makeKit(bend: (memory: Store) => Partial<Store>, providers?: ReadonlyMap<ProviderPort['key'], ProviderPort>) {
  const memory = makeMemoryStore({ registry: PRICED, now: makeFakeClock().now, replica: REPLICA });
  const store = { ...memory, ...bend(memory) };
  const kit = makeGatewayKit({ registry: PRICED, store, ...(providers === undefined ? {} : { providers }) });
  return { ...kit, posted: async () => (await memory.account(userAccount('ann'))).posted };
}

/** The first call fails, after the act if `isDone`; later ones do the act. */
function failingOnce<Args extends readonly unknown[], Result>(
  act: (...args: Args) => Promise<Result>,
  isDone: 'notDone' | 'done',
) {
  let faults = 1;
  return async (...args: Args): Promise<Result> => {
    if (faults === 0) return act(...args);
    faults -= 1;
    if (isDone === 'done') await act(...args);
    throw new StoreUnavailable('no answer within 250 ms');
  };
}

describe.each(['notDone', 'done'] as const)('when the store does not answer, and the act was %s:', (isDone) => {
  test('a claim is told as it is, nothing is called, and the key is free at once', async () => {
    await using kit = makeKit((memory) => ({ claimKey: failingOnce(memory.claimKey, isDone) }));
    await expect(kit.send(KEYED)).rejects.toThrow(StoreUnavailable);
    await quiet();
    expect(kit.provider('a').calls).toHaveLength(0);
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
  });

  test('a chat that breaks off frees its key', async () => {
    await using kit = makeKit((memory) => ({ admit: failingOnce(memory.admit, isDone) }));
    await expect(kit.send(KEYED)).rejects.toThrow(StoreUnavailable);
    await quiet();
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
    expect(await kit.posted()).toBe(COST);
  });

  test('an answer that was paid for is given all the same', async () => {
    await using kit = makeKit((memory) => ({ endClaim: failingOnce(memory.endClaim, isDone) }));
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
    expect(await kit.posted()).toBe(COST);
  });
});

describe('whoever waits while the store goes away', () => {
  /** One sending runs and one waits; then the store is away for keys. */
  async function makeWaiting() {
    const word = Promise.withResolvers<void>();
    let isAway = false;
    const kit = makeKit((memory) => ({
      async claimKey(claim) {
        if (isAway) throw new StoreUnavailable('no answer within 250 ms');
        return memory.claimKey(claim);
      },
    }));
    kit.provider('a').script({ kind: 'wait', until: word.promise, after: { kind: 'answer' } });
    const runner = kit.send(KEYED);
    await quiet();
    const leaving = new AbortController();
    const waiter = kit.send({ ...KEYED, timeoutMs: 5_000 }, leaving.signal);
    await quiet();
    isAway = true;
    const comeBack = () => {
      isAway = false;
    };
    return { kit, runner, waiter, leave: () => leaving.abort(), answer: word.resolve, comeBack };
  }

  test('gets the answer when it is back in time', async () => {
    const { kit, runner, waiter, answer, comeBack } = await makeWaiting();
    await using _kit = kit;
    for (let passed = 0; passed < 4_000; passed += 500) {
      kit.clock.advance(500);
      await quiet();
    }
    answer();
    const first = await runner;
    comeBack();
    kit.clock.advance(500);
    expect(await waiter).toEqual({ ...first, isReplayed: true });
    expect(kit.provider('a').calls).toHaveLength(1);
  });

  test('is told so when its time is up', async () => {
    const { kit, runner, waiter, answer } = await makeWaiting();
    await using _kit = kit;
    const refused = expect(waiter).rejects.toThrow(StoreUnavailable);
    for (let passed = 0; passed <= 5_000; passed += 500) {
      kit.clock.advance(500);
      await quiet();
    }
    await refused;
    answer();
    expect(await runner).toMatchObject({ kind: 'answered' });
  });

  test('leaves at once when it wants to', async () => {
    const { kit, runner, waiter, leave, answer } = await makeWaiting();
    await using _kit = kit;
    leave();
    await expect(waiter).rejects.toThrow(StoreUnavailable);
    answer();
    expect(await runner).toMatchObject({ kind: 'answered' });
  });
});

test('an answer that is too long to be kept is given, and its key is free', async () => {
  const scripted = makeScriptedProvider('a');
  const wordy: ProviderPort = {
    ...scripted,
    async call(call, signal) {
      const result = await scripted.call(call, signal);
      if (result.kind !== 'answered') return result;
      return { ...result, answer: { ...result.answer, text: 'x'.repeat(KEY_LIMITS.outcomeCharsMax) } };
    },
  };
  const others = ['b', 'c', 'd'].map((key) => [providerKey(key), makeScriptedProvider(key)] as const);
  await using kit = makeKit(() => ({}), new Map<ProviderPort['key'], ProviderPort>([[wordy.key, wordy], ...others]));
  for (const sending of [1, 2]) {
    const outcome = await kit.send(KEYED);
    expect(outcome).toMatchObject({ kind: 'answered', isReplayed: false });
    expect(scripted.calls).toHaveLength(sending);
  }
});
