import { describe, expect, test } from 'vitest';
import { userAccount } from '../../src/core/ids.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

const CHEAPEST = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } } as const;
/** Of 10 tokens of input and 5 of output at a. */
const COST = usd('0.00006');
const HOLD = usd('0.010005');

/** A gateway on a memory store that a test bends. Time is moved with `advance`: the store's and the gateway's together. */
function makeKit(bend: (memory: Store) => Partial<Store>, providers?: ReadonlyMap<ProviderPort['key'], ProviderPort>) {
  const clock = makeFakeClock();
  const memory = makeMemoryStore({ registry: PRICED, now: clock.now, replica: REPLICA });
  const store = { ...memory, ...bend(memory) };
  const kit = makeGatewayKit({ registry: PRICED, store, ...(providers === undefined ? {} : { providers }) });
  return {
    ...kit,
    advance: (ms: number) => {
      clock.advance(ms);
      kit.clock.advance(ms);
    },
    money: async () => {
      const { posted, held } = await memory.account(userAccount('ann'));
      return { posted, held };
    },
  };
}

/** Fails as often as it is told to, then does the act. */
function stumbling<Argument, Result>(times: number, act: (argument: Argument) => Promise<Result>) {
  let faults = times;
  return async (argument: Argument): Promise<Result> => {
    if (faults > 0) {
      faults -= 1;
      throw new StoreUnavailable('no answer within 250 ms');
    }
    return act(argument);
  };
}

describe('a settle that the store does not answer', () => {
  test('for good costs nobody the answer: the hold expires and is posted in full', async () => {
    await using kit = makeKit((memory) => ({ settle: stumbling(Number.POSITIVE_INFINITY, memory.settle) }));
    const outcome = await kit.chat(CHEAPEST);
    expect(outcome).toMatchObject({ kind: 'answered', cost: { total: COST } });
    expect((await kit.gateway.findAnswered(outcome.requestId))?.status).toBe('succeeded');
    expect(await kit.money()).toEqual({ posted: 0n, held: HOLD });
    for (let step = 0; step < 20; step += 1) {
      kit.advance(5_000);
      await quiet();
    }
    expect(await kit.money()).toEqual({ posted: HOLD, held: 0n });
  });

  test('does not stop the next provider from being asked', async () => {
    await using kit = makeKit((memory) => ({ settle: stumbling(3, memory.settle) }));
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    expect(await kit.chat(CHEAPEST)).toMatchObject({ kind: 'answered', provider: 'b' });
  });

  test('in time is waited for, and a caller who leaves meanwhile has paid for an answer that is given', async () => {
    const gate = Promise.withResolvers<void>();
    await using kit = makeKit((memory) => ({
      settle: async (settlement) => {
        await gate.promise;
        return memory.settle(settlement);
      },
    }));
    const leaving = new AbortController();
    const chat = kit.chat(CHEAPEST, leaving.signal);
    await quiet();
    leaving.abort();
    gate.resolve();
    expect(await chat).toMatchObject({ kind: 'answered', provider: 'a', cost: { total: COST } });
    expect(await kit.money()).toEqual({ posted: COST, held: 0n });
  });
});

describe('a slow admission', () => {
  test('whose caller leaves meanwhile is settled: the provider is told to stop before it begins', async () => {
    const gate = Promise.withResolvers<void>();
    await using kit = makeKit((memory) => ({
      admit: async (admission) => {
        await gate.promise;
        return memory.admit(admission);
      },
    }));
    kit.provider('a').script({ kind: 'hang' });
    const leaving = new AbortController();
    const chat = kit.chat(CHEAPEST, leaving.signal);
    await quiet();
    leaving.abort();
    gate.resolve();
    expect(await chat).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
    expect((await kit.money()).held).toBe(0n);
  });
});

describe('a record that cannot be written', () => {
  test('costs nobody the answer', async () => {
    await using kit = makeKit((memory) => ({ record: stumbling(1, memory.record) }));
    const outcome = await kit.chat(CHEAPEST);
    expect(outcome).toMatchObject({ kind: 'answered', provider: 'a' });
    expect(await kit.gateway.findAnswered(outcome.requestId)).toBeNull();
    expect(await kit.money()).toEqual({ posted: COST, held: 0n });
  });
});

describe('a store that is away', () => {
  test.each(['look', 'admit'] as const)(
    'when asked to %s: the chat ends as such, nobody is called, nothing is held',
    async (act) => {
      await using kit = makeKit((memory) => ({
        [act]: act === 'look' ? stumbling(1, memory.look) : stumbling(1, memory.admit),
      }));
      await expect(kit.chat(CHEAPEST)).rejects.toBeInstanceOf(StoreUnavailable);
      expect(kit.provider('a').calls).toHaveLength(0);
      expect(await kit.money()).toEqual({ posted: 0n, held: 0n });
      expect((await kit.chat(CHEAPEST)).kind).toBe('answered');
    },
  );

  test('between the permit and the call: nothing was sent, so nothing is paid', async () => {
    await using kit = makeKit((memory) => ({ dispatch: stumbling(1, memory.dispatch) }));
    await expect(kit.chat(CHEAPEST)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(kit.provider('a').calls).toHaveLength(0);
    expect(await kit.money()).toEqual({ posted: 0n, held: 0n });
  });

  test('when a simulated failure is to be counted: it is not played, and the provider answers', async () => {
    await using kit = makeKit((memory) => ({ claimSimulatedFailure: stumbling(1, memory.claimSimulatedFailure) }));
    const wish = { mode: 'error', rate: 1, durationMs: 60_000, failuresMax: null, latencyMs: null } as const;
    await kit.gateway.simulateFailure({ provider: 'a', ...wish }, OPEN_CALLER);
    expect((await kit.chat(CHEAPEST)).kind).toBe('answered');
  });

  test('when a second attempt is to be admitted: what the first one cost is told and stays on record', async () => {
    let admissions = 0;
    await using kit = makeKit((memory) => ({
      admit: async (admission) => {
        admissions += 1;
        if (admissions === 2) throw new StoreUnavailable('no answer within 250 ms');
        return memory.admit(admission);
      },
    }));
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError', billed: 'unknown' } });
    const outcome = await kit.chat(CHEAPEST);
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'ALL_PROVIDERS_FAILED' }, cost: { total: HOLD } });
    expect(await kit.gateway.findAnswered(outcome.requestId)).toMatchObject({
      status: 'failed',
      cost: { total: HOLD },
    });
    expect(await kit.money()).toEqual({ posted: HOLD, held: 0n });
  });
});

describe('an adapter with a bug', () => {
  function throwing(): ReadonlyMap<ProviderPort['key'], ProviderPort> {
    const call = async () => {
      throw new TypeError('undefined is not a function');
    };
    return new Map(PRICED.providers.map(({ key }) => [key, { key, inputTokensMax: () => 5, call }]));
  }

  test('surfaces, and its hold is settled all the same: in full, since nobody knows what was billed', async () => {
    await using kit = makeKit(() => ({}), throwing());
    await expect(kit.chat(CHEAPEST)).rejects.toThrow('undefined is not a function');
    expect(await kit.money()).toEqual({ posted: HOLD, held: 0n });
  });

  test('does not open a breaker, and does not keep a probe', async () => {
    await using kit = makeKit(() => ({}), throwing());
    for (let sent = 0; sent < 5; sent += 1) await kit.chat(CHEAPEST).catch(() => undefined);
    const { providers } = await kit.gateway.surveyProviders();
    expect(providers[0]?.state.breaker).toMatchObject({ epoch: 0, circuit: { kind: 'closed', fails: 0 } });
  });
});

test('a disk that hangs before a call takes no more time than the attempt has: nothing is sent, charged or held against anybody', async () => {
  await using kit = makeKit(() => ({ dispatch: () => new Promise<void>(() => undefined) }));
  const chat = kit.chat({ ...CHEAPEST, timeoutMs: 10_000, routing: { only: ['a'] } });
  await quiet();
  kit.advance(9_500);
  const outcome = await chat;
  expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'TIMED_OUT' } });
  expect(outcome.routing.attempts).toMatchObject([{ outcome: 'timedOut', countedByBreaker: false, cost: 0n }]);
  expect(kit.provider('a').calls).toHaveLength(0);
  expect(await kit.money()).toEqual({ posted: 0n, held: 0n });
});
