import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { NO_FILTER } from '../../src/core/analytics.ts';
import { fairAttemptMs } from '../../src/core/deadline.ts';
import { userAccount } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };

async function moneyOf({ store }: GatewayKit) {
  const { posted, held } = await store.account(userAccount('ann'));
  return { posted, held };
}

async function recordsOf({ gateway }: GatewayKit) {
  const answer = await gateway.pageRequests({
    page: { size: 50, direction: 'forward', cursor: null },
    filter: NO_FILTER,
    order: { field: 'createdAt', direction: 'ascending' },
    caller: OPEN_CALLER,
  });
  if (answer.kind !== 'page') throw new RangeError(answer.kind);
  return answer.page.items.map(({ item }) => item);
}

describe('the one time limit of a request', () => {
  test('a first provider that hangs leaves time for the second, which gets what remains', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'hang' });
    const chat = kit.chat({ ...CHEAPEST, timeoutMs: 10_000 });
    await quiet();
    kit.clock.advance(4_999);
    await quiet();
    expect(kit.provider('b').calls).toHaveLength(0);
    kit.clock.advance(1);
    const outcome = await chat;
    expect(outcome).toMatchObject({ kind: 'answered', provider: 'b', timing: { totalMs: 5_000, upstreamMs: 5_000 } });
    expect(outcome.routing.attempts[0]).toMatchObject({
      outcome: 'timedOut',
      durationMs: 5_000,
      countedByBreaker: true,
    });
  });

  test('a caller in a hurry opens no breaker: less than three times the expected latency says nothing of a provider', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const [fairMs] = PRICED.providers[0]!.models.map(fairAttemptMs);
    const only = { ...CHEAPEST, routing: { only: ['a'], sort: 'price' } } as const;
    const countedAfter = async (attemptMs: number) => {
      kit.provider('a').script({ kind: 'hang' });
      // The last attempt gets all but a tenth.
      const chat = kit.chat({ ...only, timeoutMs: Math.ceil(attemptMs / 0.9) });
      await quiet();
      kit.clock.advance(attemptMs + 1);
      const { attempts } = (await chat).routing;
      return attempts.map(({ outcome, countedByBreaker }) => [outcome, countedByBreaker]);
    };
    expect(await countedAfter(fairMs! - 2)).toEqual([['timedOut', false]]);
    expect(await countedAfter(fairMs! + 2)).toEqual([['timedOut', true]]);
  });

  test.each([2_000, 10_000, 60_000])(
    'when everybody hangs, the caller is told within %i ms, and nobody else is asked after',
    async (timeoutMs) => {
      await using kit = makeGatewayKit({ registry: PRICED });
      for (const { key } of PRICED.providers) kit.provider(key).script({ kind: 'hang' });
      const startedAtMs = kit.clock.elapsedMs();
      const chat = kit.chat({ ...CHEAPEST, timeoutMs });
      let isOver = false;
      void chat.then(() => {
        isOver = true;
      });
      while (!isOver && kit.clock.elapsedMs() - startedAtMs < timeoutMs) {
        await quiet();
        if (!isOver) kit.clock.advance(50);
      }
      const outcome = await chat;
      expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'TIMED_OUT', timeoutMs, isRetryable: true } });
      expect(kit.clock.elapsedMs() - startedAtMs).toBeLessThanOrEqual(timeoutMs);
      expect(outcome.routing.attempts.map(({ outcome: how }) => how)).toEqual(['timedOut', 'timedOut']);
      expect((await moneyOf(kit)).held).toBe(0n);
    },
  );

  test.each([
    ['allowed', { sort: 'price', allowFallbacks: false }],
    ['possible', { only: ['a'] }],
  ] as const)('an attempt that is the last one %s gets the whole time', async (_what, routing) => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'hang' });
    const chat = kit.chat({ ...CHEAPEST, timeoutMs: 10_000, routing });
    await quiet();
    kit.clock.advance(9_499);
    await quiet();
    kit.clock.advance(1);
    expect((await chat).routing.attempts[0]).toMatchObject({ outcome: 'timedOut', durationMs: 9_500 });
  });

  test('no timer and no listener is left behind, however a chat ends', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await quiet();
    const before = kit.clock.timerCount();
    const { signal } = new AbortController();
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } }, { kind: 'answer' });
    await kit.chat(CHEAPEST, signal);
    await kit.chat(CHEAPEST, signal);
    await kit.chat({ ...CHEAPEST, routing: { only: ['a'], ignore: ['a'] } }, signal);
    expect(kit.clock.timerCount()).toBe(before);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('a caller who leaves', () => {
  test('in mid-call: the provider is told at once, what was held is settled, and it is recorded as cancelled', async () => {
    const heard: unknown[] = [];
    const listening = PRICED.providers.map(
      ({ key }): ProviderPort => ({
        key,
        inputTokensMax: () => 100,
        call: (_call, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              heard.push([key, (signal.reason as Error).cause]);
              const failure = { kind: 'cancelled', message: 'gone', httpStatus: null, retryAfterMs: null } as const;
              resolve({ kind: 'failed', failure: { ...failure, billed: 'unknown', isSimulated: false } });
            });
          }),
      }),
    );
    await using kit = makeGatewayKit({
      registry: PRICED,
      providers: new Map(listening.map((provider) => [provider.key, provider])),
    });
    const leaving = new AbortController();
    const chat = kit.chat(CHEAPEST, leaving.signal);
    await quiet();
    const { held } = await moneyOf(kit);
    expect(held).toBeGreaterThan(0n);
    leaving.abort();
    const outcome = await chat;
    expect(heard).toEqual([['a', 'cancelled']]);
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED', isRetryable: false } });
    expect(outcome.routing.attempts).toMatchObject([{ provider: 'a', outcome: 'cancelled', countedByBreaker: false }]);
    // Nobody knows what was billed: all of it is posted.
    expect(await moneyOf(kit)).toEqual({ posted: held, held: 0n });
    expect(await recordsOf(kit)).toMatchObject([
      { status: 'cancelled', error: { code: 'CANCELLED' }, cost: { total: held } },
    ]);
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0);
  });

  test('with evidence that nothing was billed pays nothing', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'cancelled', billed: 'nothing' } });
    expect(await kit.chat(CHEAPEST)).toMatchObject({ why: { code: 'CANCELLED' }, cost: { total: 0n } });
    expect(await moneyOf(kit)).toEqual({ posted: 0n, held: 0n });
  });

  test('before anything was asked costs nothing, and is recorded all the same', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const outcome = await kit.chat(CHEAPEST, AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' }, routing: { attempts: [] } });
    expect(await moneyOf(kit)).toEqual({ posted: 0n, held: 0n });
    expect(await recordsOf(kit)).toMatchObject([{ status: 'cancelled', provider: null, fellBack: false }]);
    expect(kit.provider('a').calls).toHaveLength(0);
  });

  test('while the second provider is asked: no third one is', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    kit.provider('b').script({ kind: 'hang' });
    const leaving = new AbortController();
    const chat = kit.chat(CHEAPEST, leaving.signal);
    await quiet();
    leaving.abort();
    const outcome = await chat;
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
    expect(outcome.routing.attempts.map((attempt) => attempt.outcome)).toEqual(['providerError', 'cancelled']);
    expect(kit.provider('c').calls).toHaveLength(0);
  });

  test('a half-open probe whose caller leaves gives its place back', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const onlyA = { prompt: 'hello', routing: { only: ['a'] } };
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    for (let sent = 0; sent < 3; sent += 1) await kit.chat(onlyA);
    kit.clock.advance(66_001);
    kit.provider('a').script({ kind: 'hang' }, { kind: 'answer' });
    const leaving = new AbortController();
    const probing = kit.chat(onlyA, leaving.signal);
    await quiet();
    expect((await kit.chat(onlyA)).kind).toBe('ended');
    leaving.abort();
    await probing;
    expect((await kit.chat(onlyA)).kind).toBe('answered');
  });
});
