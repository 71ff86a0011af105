import { describe, expect, test } from 'vitest';
import { userAccount } from '../../src/core/ids.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { SimulateFailure } from '../../src/gateway/gateway.ts';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

const ONLY_A = { prompt: 'hello', userId: 'ann', routing: { only: ['a'] } } as const;
const CHEAPEST = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } } as const;

async function simulate(kit: GatewayKit, wish: Partial<SimulateFailure> = {}): Promise<void> {
  const whole: SimulateFailure = {
    provider: 'a',
    mode: 'error',
    rate: 1,
    durationMs: 60_000,
    failuresMax: null,
    latencyMs: null,
    ...wish,
  };
  expect(await kit.gateway.simulateFailure(whole, OPEN_CALLER)).toEqual({ kind: 'simulating', provider: 'a' });
}

/** Moves time on until a chat has ended, so that what waits does not wait for ever. */
async function ended<Outcome>(kit: GatewayKit, chat: Promise<Outcome>): Promise<Outcome> {
  let isOver = false;
  void chat.then(() => {
    isOver = true;
  });
  for (let step = 0; step < 1_000; step += 1) {
    await quiet();
    if (isOver) break;
    kit.clock.advance(100);
  }
  return chat;
}

async function breakerOf(kit: GatewayKit) {
  return (await kit.gateway.surveyProviders()).providers[0]!.state.breaker;
}

describe('a simulated failure', () => {
  test.each([
    ['error', 'providerError', 500, true],
    ['timeout', 'timedOut', null, true],
    ['rateLimit', 'throttled', 429, false],
    ['malformed', 'invalidResponse', 200, true],
    ['disconnect', 'networkError', null, true],
  ] as const)(
    '%s: the attempt fails as %s, costs nothing, calls nobody, and the next one answers',
    async (mode, outcome, httpStatus, isCounted) => {
      await using kit = makeGatewayKit({ registry: PRICED });
      await simulate(kit, { mode });
      const answer = await ended(kit, kit.chat({ ...CHEAPEST, timeoutMs: 10_000 }));
      expect(answer).toMatchObject({ kind: 'answered', provider: 'b' });
      expect(answer.routing.attempts[0]).toMatchObject({
        provider: 'a',
        outcome,
        httpStatus,
        cost: 0n,
        countedByBreaker: isCounted,
      });
      expect(answer.routing.attempts[0]?.errorMessage).toContain('Simulated failure');
      expect(kit.provider('a').calls).toHaveLength(0);
      expect((await breakerOf(kit)).circuit.fails).toBe(isCounted ? 1 : 0);
      expect((await kit.store.account(userAccount('ann'))).held).toBe(0n);
    },
  );

  test('slow: the real provider is called, as much later as was asked for, or 3 s', async () => {
    for (const latencyMs of [700, null]) {
      await using kit = makeGatewayKit({ registry: PRICED });
      await simulate(kit, { mode: 'slow', latencyMs });
      const answer = await ended(kit, kit.chat(ONLY_A));
      expect(answer).toMatchObject({ kind: 'answered', provider: 'a', timing: { upstreamMs: latencyMs ?? 3_000 } });
      expect(kit.provider('a').calls).toHaveLength(1);
    }
  });

  test('slow: longer than the attempt may take is a timeout, and nobody was called', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await simulate(kit, { mode: 'slow', latencyMs: 8_000 });
    const answer = await ended(kit, kit.chat({ ...CHEAPEST, timeoutMs: 10_000 }));
    expect(answer).toMatchObject({ provider: 'b', routing: { attempts: [{ outcome: 'timedOut' }, {}] } });
    expect(kit.provider('a').calls).toHaveLength(0);
  });

  test('timeout: ends after the named time, or with the time of the attempt', async () => {
    for (const [latencyMs, durationMs] of [
      [700, 700],
      [null, 5_000],
    ] as const) {
      await using kit = makeGatewayKit({ registry: PRICED });
      await simulate(kit, { mode: 'timeout', latencyMs });
      const answer = await ended(kit, kit.chat({ ...CHEAPEST, timeoutMs: 10_000 }));
      expect(answer.routing.attempts[0]).toMatchObject({ outcome: 'timedOut', durationMs });
    }
  });

  test('ends at once for a caller who leaves', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await simulate(kit, { mode: 'timeout' });
    const leaving = new AbortController();
    const chat = kit.chat(CHEAPEST, leaving.signal);
    await quiet();
    leaving.abort();
    expect(await chat).toMatchObject({ why: { code: 'CANCELLED' }, cost: { total: 0n } });
    expect((await breakerOf(kit)).circuit.fails).toBe(0);
  });

  test('exercises the real breaker: three of them open it, and the change says why', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await simulate(kit);
    for (let sent = 0; sent < 3; sent += 1) await kit.chat(ONLY_A);
    expect(await breakerOf(kit)).toMatchObject({ epoch: 1, circuit: { kind: 'open' } });
    expect(await kit.gateway.findBreakerEvent(1)).toMatchObject({
      provider: 'a',
      transition: { from: 'closed', to: 'open', cause: 'simulation' },
    });
    expect(await kit.chat(ONLY_A)).toMatchObject({ why: { code: 'NO_PROVIDER_AVAILABLE' } });
  });
});

describe('how often it is played', () => {
  test('is its share of the attempts: chance below the rate fails, chance at the rate does not', async () => {
    const draws: number[] = [];
    await using kit = makeGatewayKit({ registry: PRICED, chance: () => draws.shift() ?? 0.999 });
    await simulate(kit, { rate: 0.3, mode: 'rateLimit' });
    // Two draws for an attempt: whether it is played, and the jitter of its settle.
    draws.push(0.299, 0, 0.3, 0, 0, 0, 0.999, 0);
    const kinds = [];
    for (let sent = 0; sent < 4; sent += 1) kinds.push((await kit.chat(ONLY_A)).kind);
    expect(kinds).toEqual(['ended', 'answered', 'ended', 'answered']);
  });

  test('a rate of nothing never fails, and takes none of its failures', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, chance: () => 0 });
    await simulate(kit, { rate: 0 });
    expect((await kit.chat(ONLY_A)).kind).toBe('answered');
    expect((await kit.gateway.surveyProviders()).providers[0]?.state.simulation?.failuresInjected).toBe(0);
  });

  test('never more than its limit, also when all come at once', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await simulate(kit, { mode: 'rateLimit', failuresMax: 2 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => kit.chat(ONLY_A)));
    expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(2);
    expect((await kit.gateway.surveyProviders()).providers[0]?.state.simulation).toBeNull();
  });

  test('only until it ends: to the millisecond', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await simulate(kit, { mode: 'rateLimit', durationMs: 10_000 });
    kit.clock.advance(9_999);
    expect((await kit.chat(ONLY_A)).kind).toBe('ended');
    kit.clock.advance(1);
    expect((await kit.chat(ONLY_A)).kind).toBe('answered');
  });

  test('only on its own provider', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await simulate(kit);
    expect(await kit.chat({ ...ONLY_A, routing: { only: ['b'] } })).toMatchObject({ kind: 'answered', provider: 'b' });
  });

  test('not after it was stopped, for one provider or for all', async () => {
    for (const provider of ['prov_a', null]) {
      await using kit = makeGatewayKit({ registry: PRICED });
      await simulate(kit);
      expect(await kit.gateway.stopSimulation(provider, OPEN_CALLER)).toEqual({ kind: 'stopped', providers: ['a'] });
      expect((await kit.chat(ONLY_A)).kind).toBe('answered');
      expect(await kit.gateway.stopSimulation(provider, OPEN_CALLER)).toEqual({ kind: 'stopped', providers: [] });
    }
  });
});

describe('a wish that cannot be fulfilled', () => {
  const wish: SimulateFailure = {
    provider: 'a',
    mode: 'error',
    rate: 1,
    durationMs: 60_000,
    failuresMax: null,
    latencyMs: null,
  };

  test.each([
    [{ rate: -0.1 }, 'rate'],
    [{ rate: 1.1 }, 'rate'],
    [{ rate: Number.NaN }, 'rate'],
    [{ durationMs: 0 }, 'duration'],
    [{ durationMs: 86_400_001 }, 'duration'],
    [{ failuresMax: 0 }, 'maxFailures'],
    [{ failuresMax: 1_000_001 }, 'maxFailures'],
    [{ latencyMs: -1 }, 'latencyMs'],
    [{ latencyMs: 600_001 }, 'latencyMs'],
  ])('%o is refused, and nothing is simulated', async (change, field) => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const answer = await kit.gateway.simulateFailure({ ...wish, ...change }, OPEN_CALLER);
    expect(answer).toMatchObject({ kind: 'invalidInput', issues: [{ path: [field] }] });
    expect((await kit.chat(ONLY_A)).kind).toBe('answered');
  });

  test('an unknown provider is told which there are; a gateway that forbids it says so', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const unknown = await kit.gateway.simulateFailure({ ...wish, provider: 'nobody' }, OPEN_CALLER);
    expect(unknown).toMatchObject({ kind: 'notFound', code: 'NOT_FOUND' });
    expect(unknown.kind === 'notFound' && unknown.message).toContain('There are a, b, c, d.');
    await using strict = makeGatewayKit({ registry: PRICED, areSimulationsEnabled: false });
    expect(await strict.gateway.simulateFailure(wish, OPEN_CALLER)).toMatchObject({ code: 'FEATURE_DISABLED' });
  });

  test('what one gateway simulates is not played by another on the same store that forbids it', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await using strict = makeGatewayKit({ registry: PRICED, store: kit.store, areSimulationsEnabled: false });
    await kit.gateway.simulateFailure(wish, OPEN_CALLER);
    expect((await strict.chat(ONLY_A)).kind).toBe('answered');
    expect((await kit.chat(ONLY_A)).kind).not.toBe('answered');
  });
});
