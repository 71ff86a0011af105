import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAILURE_KINDS, FAILURE_POLICY } from '../../src/core/failure.ts';
import { userAccount } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import type { Act } from '../fakes/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };

async function moneyOf({ store }: Pick<GatewayKit, 'store'>) {
  const { posted, held } = await store.account(userAccount('ann'));
  return { posted, held };
}

const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.constant<Act>({ kind: 'answer' }),
  fc.constant<Act>({ kind: 'hang' }),
  fc.constantFrom(...FAILURE_KINDS).map((kind): Act => ({ kind: 'fail', failure: { kind } })),
);

describe('whatever the providers do', () => {
  test('a chat keeps the rules: its time, its number of attempts, nobody twice, and no attempt after the last word', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(acts, { minLength: 4, maxLength: 4 }),
        fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
        fc.integer({ min: 100, max: 60_000 }),
        async (script, maxAttempts, timeoutMs) => {
          await using kit = makeGatewayKit({ registry: PRICED });
          PRICED.providers.forEach(({ key }, place) => {
            kit.provider(key).script(script[place]!);
          });
          const routing = { sort: 'price', ...(maxAttempts === undefined ? {} : { maxAttempts }) } as const;
          const startedAtMs = kit.clock.elapsedMs();
          const pending = kit.chat({ ...CHEAPEST, timeoutMs, routing });
          let isOver = false;
          void pending.then(() => {
            isOver = true;
          });
          for (await quiet(); !isOver; await quiet()) kit.clock.advance(Math.floor(timeoutMs / 40));
          const { routing: decision } = await pending;
          const { attempts } = decision;

          ok(kit.clock.elapsedMs() - startedAtMs <= timeoutMs, 'the time limit');
          ok(attempts.length <= (maxAttempts ?? 3), 'the number of attempts');
          const asked = attempts.map(({ provider }) => provider);
          deepEqual(asked, ['a', 'b', 'c', 'd'].slice(0, asked.length));
          for (const { key } of PRICED.providers) ok(kit.provider(key).calls.length <= 1, 'nobody twice');
          for (const { outcome } of attempts.slice(0, -1)) {
            ok(outcome !== 'succeeded' && FAILURE_POLICY[outcome].tryNext, `no attempt after ${outcome}`);
          }
          equal((await moneyOf(kit)).held, 0n);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe.each([
  ['HTTP 429', { kind: 'throttled', httpStatus: 429 }],
  ['HTTP 503', { kind: 'providerError', httpStatus: 503 }],
] as const)('a provider that answers %s with Retry-After', (_status, failure) => {
  test('is left alone until that instant, and asked again from it on', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'fail', failure: { ...failure, retryAfterMs: 30_000 } }, { kind: 'answer' });
    expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'b' });
    kit.clock.advance(29_999);
    const spared = await kit.chat(CHEAPEST);
    expect(spared).toMatchObject({ provider: 'b' });
    expect(spared.routing.candidates.at(-1)).toMatchObject({
      provider: 'a',
      rejection: { reason: 'rateLimited', untilMs: kit.clock.now() + 1 },
    });
    kit.clock.advance(1);
    expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'a' });
    expect(kit.provider('a').calls).toHaveLength(2);
  });

  test('is what a caller without alternative is told: to come back exactly then', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'fail', failure: { ...failure, retryAfterMs: 7_000 } }, { kind: 'answer' });
    const onlyA: RawChat = { ...CHEAPEST, routing: { only: ['a'] } };
    expect(await kit.chat(onlyA)).toMatchObject({ why: { code: 'ALL_PROVIDERS_FAILED', retryAfterMs: 7_000 } });
    expect(await kit.chat(onlyA)).toMatchObject({ why: { code: 'RATE_LIMITED', retryAfterMs: 7_000 } });
    kit.clock.advance(7_000);
    expect((await kit.chat(onlyA)).kind).toBe('answered');
  });
});

describe('a caller who leaves', () => {
  /** When the caller leaves, and what it comes to: how it ends, who was asked, and whether the account is charged. */
  const MOMENTS = [
    ['before the plan', 'CANCELLED', [], 'nothing'],
    ['while leave is asked for', 'CANCELLED', ['a'], 'nothing'],
    ['during the call', 'CANCELLED', ['a'], 'the hold'],
    ['after the call, while it is settled', 'answered', ['a'], 'the answer'],
  ] as const;

  test.each(MOMENTS)('%s: %s', async (moment, ending, asked, charged) => {
    const leaving = new AbortController();
    const clock = makeFakeClock();
    const memory = makeMemoryStore({ registry: PRICED, now: clock.now, replica: REPLICA });
    const leaveAt = (at: string) => {
      if (at === moment) leaving.abort();
    };
    const store = {
      ...memory,
      admit: async (admission: Parameters<typeof memory.admit>[0]) => {
        leaveAt('while leave is asked for');
        return memory.admit(admission);
      },
      settle: async (settlement: Parameters<typeof memory.settle>[0]) => {
        leaveAt('after the call, while it is settled');
        return memory.settle(settlement);
      },
    };
    await using kit = makeGatewayKit({ registry: PRICED, store });
    kit.provider('a').script(moment.startsWith('after') ? { kind: 'answer' } : { kind: 'hang' });
    leaveAt('before the plan');
    const pending = kit.chat(CHEAPEST, leaving.signal);
    await quiet();
    leaveAt('during the call');
    const outcome = await pending;

    expect(outcome.kind === 'ended' ? outcome.why.code : outcome.kind).toBe(ending);
    expect(outcome.routing.attempts.map(({ provider }) => provider)).toEqual(asked);
    const { posted, held } = await moneyOf(kit);
    expect(held).toBe(0n);
    expect(posted).toBe(outcome.cost.total);
    const amounts = { nothing: 0n, 'the hold': outcome.cost.reserved, 'the answer': 60_000_000n };
    expect(posted).toBe(amounts[charged]);
  });
});
