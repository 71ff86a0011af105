import { describe, expect, test } from 'vitest';
import type { Failure, FailureKind } from '../../src/core/failure.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import { type GatewayKit, makeGatewayKit } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { PRICED } from './priced-registry.ts';

/** Cheapest first: a, b, c, d. */
const CHEAPEST: RawChat = { prompt: 'hello', routing: { sort: 'price' } };

function fails(kind: FailureKind, more: Partial<Failure> = {}) {
  return { kind: 'fail', failure: { kind, ...more } } as const;
}

async function breakerOf({ gateway }: GatewayKit, key: string) {
  const { providers } = await gateway.surveyProviders();
  const survey = providers.find(({ state }) => state.provider === key);
  if (survey === undefined) throw new RangeError(key);
  return survey.state;
}

function callsOf(kit: GatewayKit): readonly number[] {
  return PRICED.providers.map(({ key }) => kit.provider(key).calls.length);
}

describe('when the first provider fails, the next one answers', () => {
  test.each([
    ['providerError', 500, true],
    ['networkError', null, true],
    ['timedOut', null, true],
    ['invalidResponse', 200, true],
    ['throttled', 429, false],
    ['misconfigured', 401, false],
  ] as const)(
    '%s (%s): both attempts are told, and whether the breaker counts it',
    async (kind, httpStatus, isCounted) => {
      await using kit = makeGatewayKit({ registry: PRICED });
      kit.provider('a').script(fails(kind, { httpStatus, message: 'it broke' }));
      const outcome = await kit.chat(CHEAPEST);
      expect(outcome).toMatchObject({
        kind: 'answered',
        provider: 'b',
        model: 'm-b',
        answer: { text: 'answer of m-b' },
      });
      expect(outcome.routing.attempts).toEqual([
        {
          number: 1,
          provider: 'a',
          model: 'm-a',
          outcome: kind,
          httpStatus,
          errorMessage: 'it broke',
          durationMs: 0,
          cost: 0n,
          countedByBreaker: isCounted,
        },
        {
          number: 2,
          provider: 'b',
          model: 'm-b',
          outcome: 'succeeded',
          httpStatus: null,
          errorMessage: null,
          durationMs: 0,
          cost: outcome.cost.total,
          countedByBreaker: true,
        },
      ]);
      expect(outcome.routing.summary).toContain(`after a failed (${kind})`);
      const { breaker } = await breakerOf(kit, 'a');
      expect(breaker.circuit.fails).toBe(isCounted ? 1 : 0);
    },
  );

  test('the plan is what it was before: who failed is still the first candidate', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('providerError'));
    const { routing } = await kit.chat(CHEAPEST);
    expect(routing.candidates.map(({ provider, rank }) => [provider, rank])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ]);
  });
});

describe('a request that the provider calls wrong (400)', () => {
  test('is not tried elsewhere, is not to be retried, and is not held against the provider', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('rejected', { httpStatus: 400, message: 'HTTP 400: no such parameter' }));
    for (let sent = 0; sent < 5; sent += 1) {
      const outcome = await kit.chat(CHEAPEST);
      expect(outcome).toMatchObject({
        kind: 'ended',
        why: { code: 'ALL_PROVIDERS_FAILED', isRetryable: false, retryAfterMs: null },
      });
      expect(outcome.kind === 'ended' && outcome.why.message).toContain('HTTP 400: no such parameter');
    }
    expect(callsOf(kit)).toEqual([5, 0, 0, 0]);
    expect((await breakerOf(kit, 'a')).breaker).toMatchObject({ epoch: 0, circuit: { kind: 'closed', fails: 0 } });
  });
});

describe('a provider that refuses our credentials (401)', () => {
  test('is set aside for 10 minutes, then one attempt may find out', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('misconfigured', { httpStatus: 401, message: 'HTTP 401: bad key' }));
    await kit.chat(CHEAPEST);
    kit.clock.advance(599_999);
    const { routing } = await kit.chat(CHEAPEST);
    expect(routing.candidates.at(-1)).toMatchObject({ provider: 'a', rank: null, rejection: { reason: 'disabled' } });
    expect(routing.candidates.at(-1)?.rejection?.detail).toContain('HTTP 401: bad key');
    expect(callsOf(kit)).toEqual([1, 2, 0, 0]);
    kit.clock.advance(1);
    await kit.chat(CHEAPEST);
    expect(callsOf(kit)).toEqual([2, 3, 0, 0]);
  });

  test('comes back at once when an operator enables it', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('misconfigured'), { kind: 'answer' });
    await kit.chat(CHEAPEST);
    expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'b' });
    const wish = { provider: 'prov_a', isEnabled: true, reason: 'new key' };
    expect(await kit.gateway.setProviderEnabled(wish, OPEN_CALLER)).toEqual({ kind: 'set', provider: 'a' });
    expect(await kit.chat(CHEAPEST)).toMatchObject({ kind: 'answered', provider: 'a' });
  });

  test('one that an operator switched off is not asked, whatever the time', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await kit.gateway.setProviderEnabled({ provider: 'a', isEnabled: false, reason: null }, OPEN_CALLER);
    kit.clock.advance(86_400_000);
    expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'b' });
    expect(callsOf(kit)).toEqual([0, 1, 0, 0]);
  });
});

describe('a provider that asks us to wait (429)', () => {
  test('is left alone for exactly as long as it says, and its breaker is not told', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('throttled', { httpStatus: 429, retryAfterMs: 30_000 }), { kind: 'answer' });
    await kit.chat(CHEAPEST);
    kit.clock.advance(29_999);
    const skipped = await kit.chat(CHEAPEST);
    expect(skipped).toMatchObject({ provider: 'b' });
    expect(skipped.routing.candidates.at(-1)?.rejection).toMatchObject({
      reason: 'rateLimited',
      detail: 'the provider itself asked us to wait',
      untilMs: kit.clock.now() + 1,
    });
    kit.clock.advance(1);
    expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'a' });
    expect((await breakerOf(kit, 'a')).breaker).toMatchObject({ epoch: 0, circuit: { kind: 'closed', fails: 0 } });
  });

  test('without saying how long is asked again, and never opens its breaker', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('throttled', { httpStatus: 429 }));
    for (let sent = 0; sent < 5; sent += 1) await kit.chat(CHEAPEST);
    expect(callsOf(kit)).toEqual([5, 5, 0, 0]);
    expect((await breakerOf(kit, 'a')).breaker.epoch).toBe(0);
  });

  test('when all ask to wait, the caller is told the shortest wait', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    for (const [key, retryAfterMs] of [
      ['a', 9_000],
      ['b', 4_000],
      ['c', 7_000],
      ['d', 5_000],
    ] as const) {
      kit.provider(key).script(fails('throttled', { retryAfterMs }));
    }
    const raw = { ...CHEAPEST, routing: { sort: 'price', maxAttempts: 10 } } as const;
    expect(await kit.chat(raw)).toMatchObject({ why: { code: 'ALL_PROVIDERS_FAILED', retryAfterMs: 4_000 } });
    expect(await kit.chat(raw)).toMatchObject({ why: { code: 'RATE_LIMITED', retryAfterMs: 4_000 } });
  });
});

describe('the number of attempts', () => {
  test.each([
    [{}, 3],
    [{ maxAttempts: 1 }, 1],
    [{ maxAttempts: 2 }, 2],
    [{ maxAttempts: 10 }, 4],
    [{ allowFallbacks: false }, 1],
    [{ allowFallbacks: false, maxAttempts: 10 }, 1],
  ] as const)('%o: when everybody fails, %i are made, and nobody is asked twice', async (routing, attempts) => {
    await using kit = makeGatewayKit({ registry: PRICED });
    for (const { key } of PRICED.providers) kit.provider(key).script(fails('providerError'));
    const outcome = await kit.chat({ ...CHEAPEST, routing: { sort: 'price', ...routing } });
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'ALL_PROVIDERS_FAILED', isRetryable: true } });
    const asked = outcome.routing.attempts.map(({ provider }) => provider);
    expect(asked).toEqual(['a', 'b', 'c', 'd'].slice(0, attempts));
    expect(outcome.routing.attempts.map(({ number }) => number)).toEqual(asked.map((_, place) => place + 1));
  });

  test('three failures open the breaker, and then the provider is not asked at all', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(fails('providerError'));
    for (let sent = 0; sent < 5; sent += 1) await kit.chat(CHEAPEST);
    expect(callsOf(kit)).toEqual([3, 5, 0, 0]);
  });

  test("the caller's fallback models are asked in the caller's order, whatever they cost", async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    for (const { key } of PRICED.providers) kit.provider(key).script(fails('providerError'));
    const { routing } = await kit.chat({ prompt: 'hello', model: 'm-d', fallbackModels: ['b/m-b', 'm-c'] });
    expect(routing.attempts.map(({ provider }) => provider)).toEqual(['d', 'b', 'c']);
  });
});

describe('a candidate that is taken between the plan and the attempt', () => {
  const narrow = makeRegistry(
    makeProvider('a', [makeModel('m-a', '1')], { requestsPerMinute: 1 }),
    makeProvider('b', [makeModel('m-b', '2')]),
  );

  test('is passed over with its reason, and the next one is first', async () => {
    await using kit = makeGatewayKit({ registry: narrow });
    const [one, other] = await Promise.all([kit.chat(CHEAPEST), kit.chat(CHEAPEST)]);
    expect([one, other]).toMatchObject([{ provider: 'a' }, { provider: 'b' }]);
    expect(other.routing.candidates).toMatchObject([
      { provider: 'b', rank: 1, rejection: null },
      { provider: 'a', rank: null, score: null, rejection: { reason: 'rateLimited' } },
    ]);
    expect(other.routing.attempts).toHaveLength(1);
  });

  test('and is the only one: the refusal says when it is free', async () => {
    await using kit = makeGatewayKit({ registry: narrow });
    const only = { prompt: 'hello', routing: { only: ['a'] } };
    const [, other] = await Promise.all([kit.chat(only), kit.chat(only)]);
    expect(other).toMatchObject({
      kind: 'ended',
      why: { kind: 'rateLimited', retryAfterMs: 60_250, rateLimit: { limit: 1, used: 1 } },
      routing: { attempts: [] },
    });
  });
});
