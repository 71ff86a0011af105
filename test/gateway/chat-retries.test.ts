import { describe, expect, test } from 'vitest';
import type { ChatOutcome } from '../../src/core/outcome.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import type { Act } from '../fakes/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

/** Cheapest first: a, b, c, d. None has a limit that these tests reach. */
const WIDE = { ...PRICED, providers: PRICED.providers.map((one) => ({ ...one, requestsPerMinute: 10_000 })) };
const CHEAPEST: RawChat = { prompt: 'hello', routing: { sort: 'price' } };
/** A failure that no breaker counts, so that nothing but the retry budget can stop what follows. */
const UNCOUNTED: Act = { kind: 'fail', failure: { kind: 'throttled', httpStatus: 429 } };

function callsOf(kit: GatewayKit): readonly number[] {
  return WIDE.providers.map(({ key }) => kit.provider(key).calls.length);
}

function askedIn({ routing }: ChatOutcome): readonly string[] {
  return routing.attempts.map(({ provider }) => provider);
}

/** Takes all tokens of b and c: ten failed retries each. */
async function drain(kit: GatewayKit): Promise<void> {
  for (const key of ['a', 'b', 'c']) kit.provider(key).script(UNCOUNTED);
  for (let sent = 0; sent < 10; sent += 1) await kit.chat(CHEAPEST);
}

describe('while every provider fails', () => {
  test.each(['one after the other', 'all at one moment'])(
    '1,000 requests %s make at most 1.1 times as many attempts, and each at most 3',
    async (when) => {
      await using kit = makeGatewayKit({ registry: WIDE });
      for (const { key } of WIDE.providers) kit.provider(key).script(UNCOUNTED);
      const outcomes: ChatOutcome[] = [];
      const wave = when === 'all at one moment' ? 1_000 : 1;
      while (outcomes.length < 1_000) {
        outcomes.push(...(await Promise.all(Array.from({ length: wave }, () => kit.chat(CHEAPEST)))));
      }
      const counts = outcomes.map(({ routing }) => routing.attempts.length);
      const attempts = counts.reduce((sum, count) => sum + count, 0);
      expect(attempts).toBe(1_030);
      expect(Math.max(...counts)).toBeLessThanOrEqual(3);
      expect(callsOf(kit)).toEqual([1_000, 10, 10, 10]);
    },
  );

  test('a stand-in whose tokens are gone is asked again after a minute, although it never earned one', async () => {
    await using kit = makeGatewayKit({ registry: WIDE });
    await drain(kit);
    kit.provider('b').script({ kind: 'answer' });
    kit.clock.advance(59_000);
    expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a', 'd']);
    kit.clock.advance(1_000);
    expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a', 'b']);
  });

  test('a request that no token is left for ends with what was attempted, and says why nobody else was asked', async () => {
    await using kit = makeGatewayKit({ registry: WIDE });
    await drain(kit);
    kit.provider('d').script(UNCOUNTED);
    for (let sent = 0; sent < 10; sent += 1) await kit.chat(CHEAPEST);
    const refusedBefore = kit.meters.shown('retriesRefused');
    const outcome = await kit.chat(CHEAPEST);
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'ALL_PROVIDERS_FAILED', isRetryable: true } });
    expect(askedIn(outcome)).toEqual(['a']);
    expect(kit.meters.shown('retriesRefused')).toBe((refusedBefore ?? 0) + 3);
    const detail = 'retries of this provider are used up for now';
    expect(outcome.routing.candidates).toMatchObject([
      { provider: 'a', rank: 1 },
      ...['b', 'c', 'd'].map((provider) => ({ provider, rank: null, rejection: { reason: 'rateLimited', detail } })),
    ]);
  });
});

describe('while the first choice fails and another one is well', () => {
  test('every request is answered, however many there are: a retry that succeeds costs nothing', async () => {
    await using kit = makeGatewayKit({ registry: WIDE });
    kit.provider('a').script(UNCOUNTED);
    for (let sent = 0; sent < 200; sent += 1) expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'b' });
  });

  test('those who need a retry while ten are under way go to the next one', async () => {
    await using kit = makeGatewayKit({ registry: WIDE });
    const gate = Promise.withResolvers<void>();
    kit.provider('a').script(UNCOUNTED);
    for (const key of ['b', 'c', 'd']) {
      kit.provider(key).script({ kind: 'wait', until: gate.promise, after: { kind: 'answer' } });
    }
    const pending = Array.from({ length: 25 }, () => kit.chat(CHEAPEST));
    await quiet();
    expect(callsOf(kit)).toEqual([25, 10, 10, 5]);
    gate.resolve();
    for (const outcome of await Promise.all(pending)) expect(outcome.kind).toBe('answered');
    expect(await kit.chat(CHEAPEST)).toMatchObject({ provider: 'b' });
  });
});

describe('a budget that is used up', () => {
  test('never keeps a first attempt away, and is earned back by answers: ten for one retry', async () => {
    await using kit = makeGatewayKit({ registry: WIDE });
    await drain(kit);
    kit.provider('b').script({ kind: 'answer' });
    expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a', 'd']);
    const onlyB: RawChat = { prompt: 'hello', routing: { only: ['b'] } };
    for (let sent = 0; sent < 9; sent += 1) expect((await kit.chat(onlyB)).kind).toBe('answered');
    expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a', 'd']);
    expect((await kit.chat(onlyB)).kind).toBe('answered');
    expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a', 'b']);
  });

  test('gives the attempt that is made all the time there is: nobody else could follow', async () => {
    await using kit = makeGatewayKit({ registry: WIDE });
    await drain(kit);
    kit.provider('d').script({ kind: 'hang' });
    const pending = kit.chat({ ...CHEAPEST, timeoutMs: 10_000 });
    await quiet();
    kit.clock.advance(9_500);
    expect((await pending).routing.attempts).toMatchObject([{ provider: 'a' }, { provider: 'd', durationMs: 9_500 }]);
  });
});

describe('a token comes back', () => {
  /** Ten retries that end like this, and then the one that shows whether a token is left. */
  async function tenTimes(kit: GatewayKit, one: () => Promise<unknown>) {
    for (let sent = 0; sent < 10; sent += 1) await one();
    kit.provider('b').script({ kind: 'answer' });
    return askedIn(await kit.chat(CHEAPEST));
  }

  test.each([
    ['the caller left', 'cancelled'],
    ['the request was wrong', 'rejected'],
  ] as const)('when %s: that says nothing about the provider', async (_why, kind) => {
    await using kit = makeGatewayKit({ registry: WIDE });
    kit.provider('a').script(UNCOUNTED);
    kit.provider('b').script({ kind: 'fail', failure: { kind } });
    expect(await tenTimes(kit, () => kit.chat(CHEAPEST))).toEqual(['a', 'b']);
  });

  test('when the store refuses the attempt, or does not answer: then nobody was called', async () => {
    const clock = makeFakeClock();
    const memory = makeMemoryStore({ registry: WIDE, now: clock.now, replica: REPLICA });
    let isAway = true;
    const store = {
      ...memory,
      admit: async (admission: Parameters<typeof memory.admit>[0]) => {
        if (isAway && admission.attempt > 1) throw new StoreUnavailable('no answer within 250 ms');
        return memory.admit(admission);
      },
    };
    await using kit = makeGatewayKit({ registry: WIDE, store });
    kit.provider('a').script(UNCOUNTED);
    const asked = await tenTimes(kit, async () => {
      expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a']);
      if (kit.provider('a').calls.length === 10) isAway = false;
    });
    expect(asked).toEqual(['a', 'b']);
  });

  test('when its limit was used up meanwhile, which is said, and the next one is asked', async () => {
    const [a, b, ...others] = WIDE.providers;
    if (a === undefined || b === undefined) throw new RangeError('the registry is too small');
    const narrow = { ...WIDE, providers: [a, { ...b, requestsPerMinute: 1 }, ...others] };
    await using kit = makeGatewayKit({ registry: narrow });
    const gate = Promise.withResolvers<void>();
    kit.provider('a').script({ kind: 'wait', until: gate.promise, after: UNCOUNTED });
    const pending = Array.from({ length: 11 }, () => kit.chat(CHEAPEST));
    await quiet();
    gate.resolve();
    const outcomes = await Promise.all(pending);
    expect(outcomes.map(askedIn)).toEqual([['a', 'b'], ...Array.from({ length: 10 }, () => ['a', 'c'])]);
    expect(outcomes[1]?.routing.candidates.at(-1)).toMatchObject({
      provider: 'b',
      rejection: { reason: 'rateLimited', detail: 'its rolling limit of requests per minute is used up' },
    });
    kit.clock.advance(60_250);
    kit.provider('a').script(UNCOUNTED);
    expect(askedIn(await kit.chat(CHEAPEST))).toEqual(['a', 'b']);
  });
});
