import { describe, expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import type { Act } from '../fakes/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeDatabase } from '../support/store-database.ts';
import { PRICED } from './priced-registry.ts';

const CHEAPEST: RawChat = {
  prompt: 'Write an essay about trains',
  userId: 'ann',
  conversationId: 'c-1',
  metadata: { team: 'search' },
  routing: { sort: 'price' },
};
const FAILING: Act = { kind: 'fail', failure: { kind: 'providerError', httpStatus: 500, billed: 'unknown' } };

async function makeKit(kind: 'memory' | 'postgres', opened: AsyncDisposableStack): Promise<GatewayKit> {
  if (kind === 'memory') return opened.use(makeGatewayKit({ registry: PRICED }));
  const { url } = opened.use(await makeDatabase());
  const options = { kind, url, registry: PRICED, replica: REPLICA, log: SILENT_LOG };
  const store = opened.use(await openTestStore(options));
  return opened.use(makeGatewayKit({ registry: PRICED, store }));
}

describe.each(['memory', 'postgres'] as const)('the record of a request, on %s', (kind) => {
  test('says the same as the answer did: routing, cost, tokens, time, who paid and how it was labelled', async () => {
    await using opened = new AsyncDisposableStack();
    const kit = await makeKit(kind, opened);
    kit.provider('a').script(FAILING);
    const outcome = await kit.chat(CHEAPEST);
    if (outcome.kind !== 'answered') throw new RangeError(outcome.why.message);
    const record = await kit.gateway.findAnswered(outcome.requestId);
    expect(record).toMatchObject({
      id: outcome.requestId,
      status: 'succeeded',
      door: 'graphql',
      isStreamed: false,
      account: 'user:ann',
      userId: 'ann',
      modelRequested: 'auto',
      provider: 'b',
      model: 'm-b',
      category: 'writing',
      fellBack: true,
      usage: outcome.usage,
      cost: outcome.cost,
      timing: outcome.timing,
      finishReason: 'stop',
      error: null,
      metadata: { team: 'search' },
      conversationId: 'c-1',
    });
    expect(record?.routing).toEqual(outcome.routing);
  });

  test('of one that was not answered keeps the error, what was spent, and who was asked last', async () => {
    await using opened = new AsyncDisposableStack();
    const kit = await makeKit(kind, opened);
    const left: Act = { kind: 'fail', failure: { kind: 'cancelled', billed: 'unknown' } };
    const endings = [
      ['refused', { maxCostUsd: usd('0.000000000001') }, FAILING, 'COST_LIMIT_TOO_LOW', null],
      ['failed', {}, FAILING, 'ALL_PROVIDERS_FAILED', 'c'],
      ['cancelled', {}, left, 'CANCELLED', 'a'],
    ] as const;
    for (const [status, wish, act, code, provider] of endings) {
      for (const { key } of PRICED.providers) kit.provider(key).script(act);
      const outcome = await kit.chat({ ...CHEAPEST, ...wish });
      if (outcome.kind !== 'ended') throw new RangeError(outcome.kind);
      const record = await kit.gateway.findAnswered(outcome.requestId);
      const { message, isRetryable, retryAfterMs } = outcome.why;
      expect(record).toMatchObject({
        status,
        provider,
        fellBack: outcome.routing.attempts.length > 1,
        usage: null,
        finishReason: null,
        saved: 0n,
        cost: outcome.cost,
        timing: outcome.timing,
        error: { code, message, isRetryable, retryAfterMs },
      });
      expect(record?.routing).toEqual(outcome.routing);
    }
  });
});

describe('what was saved', () => {
  test('is the difference to the dearest eligible candidate, for the same tokens', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'answer', inputTokens: 10, outputTokens: 100 });
    const saved = async (raw: RawChat) => (await kit.gateway.findAnswered((await kit.chat(raw)).requestId))?.saved;
    // At a 10 × $1 + 100 × $10 per million; at d four times that, at c three times.
    expect(await saved(CHEAPEST)).toBe(usd('0.00303'));
    expect(await saved({ ...CHEAPEST, routing: { sort: 'price', ignore: ['d'] } })).toBe(usd('0.00202'));
    expect(await saved({ ...CHEAPEST, routing: { only: ['a'] } })).toBe(0n);
  });

  test('does not count what failed attempts cost, and is nothing where the dearest answered', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('d').script({ kind: 'answer', inputTokens: 10, outputTokens: 100 });
    const { requestId } = await kit.chat({ ...CHEAPEST, routing: { order: ['d'] } });
    expect((await kit.gateway.findAnswered(requestId))?.saved).toBe(0n);
    kit.provider('a').script(FAILING);
    kit.provider('b').script({ kind: 'answer', inputTokens: 10, outputTokens: 100 });
    const fallback = await kit.chat(CHEAPEST);
    expect((await kit.gateway.findAnswered(fallback.requestId))?.saved).toBe(usd('0.00202'));
  });
});

describe('the time of a request', () => {
  test('adds up: what providers took and what we took is all there is', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    kit.provider('a').script({ kind: 'wait', until: first.promise, after: FAILING });
    kit.provider('b').script({ kind: 'wait', until: second.promise, after: { kind: 'answer' } });
    const chat = kit.chat(CHEAPEST);
    await quiet();
    kit.clock.advance(120);
    first.resolve();
    await quiet();
    kit.clock.advance(300);
    second.resolve();
    const outcome = await chat;
    expect(outcome.timing).toEqual({ totalMs: 420, timeToFirstTokenMs: null, upstreamMs: 420, overheadMs: 0 });
    expect(outcome.routing.attempts.map(({ durationMs }) => durationMs)).toEqual([120, 300]);
  });

  test('spent in the store is ours, and the decision says how long it took', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const slow: typeof kit.store = {
      ...kit.store,
      look: async (account) => {
        slowKit.clock.advance(7);
        return kit.store.look(account);
      },
      admit: async (admission) => {
        slowKit.clock.advance(2.5);
        return kit.store.admit(admission);
      },
      // A disk that takes its time is no provider that does.
      dispatch: async (permit) => {
        slowKit.clock.advance(30.25);
        return kit.store.dispatch(permit);
      },
    };
    const slowKit = makeGatewayKit({ registry: PRICED, store: slow });
    const { timing, routing } = await slowKit.chat(CHEAPEST);
    expect(routing.decisionMs).toBe(7);
    expect(timing).toMatchObject({ upstreamMs: 0, overheadMs: 39.75, totalMs: 40 });
    expect(routing.attempts).toMatchObject([{ durationMs: 0 }]);
    expect(slowKit.meters.attempts).toMatchObject([{ upstreamMs: 0 }]);
    await slowKit[Symbol.asyncDispose]();
  });

  test('of many answers becomes the latency that is estimated next', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const gates = Array.from({ length: 20 }, () => Promise.withResolvers<void>());
    kit
      .provider('a')
      .script(...gates.map(({ promise }) => ({ kind: 'wait', until: promise, after: { kind: 'answer' } }) as const));
    for (const gate of gates) {
      const chat = kit.chat(CHEAPEST);
      await quiet();
      kit.clock.advance(640);
      gate.resolve();
      await chat;
    }
    const { decision } = await kit.preview(CHEAPEST);
    const [a] = decision.candidates.filter(({ provider }) => provider === providerKey('a'));
    expect(a).toMatchObject({ estimatedLatencyMs: 640 });
  });
});
