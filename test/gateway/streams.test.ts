import { describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { LOG_CHARS_MAX, type StreamPiece } from '../../src/gateway/stream-log.ts';
import { STREAM_KEEPING } from '../../src/gateway/streams.ts';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';
import {
  ANSWER,
  all,
  CHEAPEST,
  endOf,
  goAway,
  KEYED,
  kindsOf,
  moneyOf,
  open,
  SILENT,
  sequencesOf,
  textOf,
} from './stream-reading.ts';

/** Models that may think unseen have no limit for their first piece. */
const WITHOUT_THINKING = {
  ...PRICED,
  providers: PRICED.providers.map((provider) => ({
    ...provider,
    models: provider.models.map((model) => ({ ...model, capabilities: ['streaming'] as const })),
  })),
};

test('a streamed chat is told from its start, with the decision, to its end, with what it cost', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  kit.provider('a').script(ANSWER);
  const pieces = await all(open(kit, CHEAPEST));
  expect(kindsOf(pieces)).toEqual(['started', 'delta', 'ended']);
  expect(sequencesOf(pieces)).toEqual([0, 1, 2]);
  expect(textOf(pieces)).toBe('Hello, Ann');
  const outcome = endOf(pieces);
  expect(outcome).toMatchObject({ kind: 'answered', provider: 'a', cost: { total: 60_000_000n } });
  expect(await moneyOf(kit)).toEqual({ posted: 60_000_000n, held: 0n });
  expect(await kit.gateway.findAnswered(outcome.requestId)).toMatchObject({ isStreamed: true, status: 'succeeded' });
});

describe('a provider that fails', () => {
  test('before its first piece is replaced, and the reader is told', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    kit.provider('b').script(ANSWER);
    const pieces = await all(open(kit, CHEAPEST));
    expect(kindsOf(pieces)).toEqual(['started', 'rerouted', 'delta', 'ended']);
    expect(pieces[1]).toMatchObject({ event: { provider: 'b', failed: { provider: 'a', outcome: 'providerError' } } });
  });

  test('after its first piece is not: the stream ends as failed, and what was received is paid for, no more', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'stream', pieces: ['Hel'], after: { kind: 'cut', outputTokens: 1 } });
    const pieces = await all(open(kit, CHEAPEST));
    expect(kindsOf(pieces)).toEqual(['started', 'delta', 'ended']);
    // 10 tokens of input at 1 USD a million, one of output at 10.
    expect(endOf(pieces)).toMatchObject({
      kind: 'ended',
      why: { code: 'ALL_PROVIDERS_FAILED' },
      cost: { total: 20_000_000n },
    });
    expect(await moneyOf(kit)).toEqual({ posted: 20_000_000n, held: 0n });
    expect(kit.provider('b').calls).toHaveLength(0);
  });

  test('by sending nothing is left after 15 s, and by falling silent after 20 s', async () => {
    await using kit = makeGatewayKit({ registry: WITHOUT_THINKING });
    kit.provider('a').script({ kind: 'hang' });
    kit.provider('b').script(SILENT);
    const stream = open(kit, CHEAPEST);
    const pieces = all(stream);
    await quiet();
    kit.clock.advance(14_999);
    await quiet();
    expect(kit.provider('b').calls).toHaveLength(0);
    kit.clock.advance(1);
    await quiet();
    expect(kit.provider('b').calls).toHaveLength(1);
    kit.clock.advance(20_000);
    expect(kindsOf(await pieces)).toEqual(['started', 'rerouted', 'delta', 'ended']);
    expect(endOf(await pieces).kind).toBe('ended');
  });
});

describe('a stream that is long', () => {
  /** A word every five seconds. */
  const slow = (words: number, kit: GatewayKit) => ({
    kind: 'stream' as const,
    pieces: Array.from({ length: words }, (_none, at) => {
      const word = Promise.withResolvers<string>();
      kit.clock.after((at + 1) * 5_000, () => word.resolve(`${at} `));
      return word.promise;
    }),
    after: { kind: 'answer' as const },
  });
  const pass = async (kit: GatewayKit, seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      kit.clock.advance(1_000);
      await quiet();
    }
  };

  test('has all the time of its request once it has begun, also where another could have been tried', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(slow(9, kit));
    const pieces = all(open(kit, { ...CHEAPEST, timeoutMs: 60_000 }));
    await quiet();
    await pass(kit, 50);
    expect(endOf(await pieces)).toMatchObject({ kind: 'answered', provider: 'a' });
  });

  test('is ended with the request’s time, pays for what came, and says nothing of its provider', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(slow(20, kit));
    const pieces = all(open(kit, { ...CHEAPEST, timeoutMs: 60_000 }));
    await quiet();
    await pass(kit, 61);
    expect(endOf(await pieces)).toMatchObject({ kind: 'ended', why: { code: 'TIMED_OUT' } });
    expect(endOf(await pieces)).toMatchObject({ routing: { attempts: [{ countedByBreaker: false }] } });
    expect((await moneyOf(kit)).held).toBe(0n);
  });
});

describe('a reader who goes away', () => {
  test('without an idempotency key ends the request, and pays for what was received', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(SILENT);
    const stream = open(kit, CHEAPEST);
    await stream.pieces.next();
    await stream.pieces.next();
    await goAway(stream);
    expect(await moneyOf(kit)).toEqual({ posted: 20_000_000n, held: 0n });
  });

  test('with one may come back, and is told what it missed: one call, one charge, no gap', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const second = Promise.withResolvers<string>();
    kit.provider('a').script({ kind: 'stream', pieces: ['Hello', second.promise], after: { kind: 'answer' } });
    const first = open(kit, KEYED);
    const seen = [await first.pieces.next(), await first.pieces.next()].map(({ value }) => value as StreamPiece);
    await goAway(first);
    kit.clock.advance(9_999);
    const again = open(kit, KEYED, 1);
    const rest = all(again);
    await quiet();
    second.resolve(', Ann');
    const pieces = [...seen, ...(await rest)];
    expect(sequencesOf(pieces)).toEqual([0, 1, 2, 3]);
    expect(textOf(pieces)).toBe('Hello, Ann');
    expect(kit.provider('a').calls).toHaveLength(1);
    expect(await moneyOf(kit)).toEqual({ posted: 60_000_000n, held: 0n });
  });

  test('with one and does not come back leaves an answer that is kept for whoever sends the key', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const second = Promise.withResolvers<string>();
    kit.provider('a').script({ kind: 'stream', pieces: ['Hello', second.promise], after: { kind: 'answer' } });
    const stream = open(kit, KEYED);
    await stream.pieces.next();
    await goAway(stream);
    expect(kit.gateway.unreadStreams().count).toBe(1);
    const ended = kit.gateway.unreadStreams().whenEnded();
    second.resolve(', Ann');
    await ended;
    expect(kit.gateway.unreadStreams().count).toBe(0);
    expect(await moneyOf(kit)).toEqual({ posted: 60_000_000n, held: 0n });
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: true });
    expect(kit.provider('a').calls).toHaveLength(1);
  });
});

describe('an idempotency key', () => {
  test('joins a stream that runs, and one that has ended is told again without a call', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(ANSWER);
    const [one, other] = await Promise.all([all(open(kit, KEYED)), all(open(kit, KEYED))]);
    expect(textOf(one)).toBe('Hello, Ann');
    expect(other).toEqual(one);
    expect(await all(open(kit, KEYED))).toEqual(one);
    expect(kit.provider('a').calls).toHaveLength(1);
  });

  test('whose stream is forgotten here is told from the kept answer, as one piece', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(ANSWER);
    await all(open(kit, KEYED));
    kit.clock.advance(60_000);
    const pieces = await all(open(kit, KEYED));
    expect(kindsOf(pieces)).toEqual(['started', 'delta', 'ended']);
    expect(endOf(pieces)).toMatchObject({ kind: 'answered', isReplayed: true });
    expect(kit.provider('a').calls).toHaveLength(1);
  });

  test('is told from the kept answer also when long streams of others came after it', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const long = 'x'.repeat(LOG_CHARS_MAX / 2);
    const keys = Array.from(
      { length: (2 * STREAM_KEEPING.keptCharsMax) / LOG_CHARS_MAX + 1 },
      (_none, at) => `key-${at}`,
    );
    for (const idempotencyKey of keys) {
      kit.provider('a').script({ kind: 'stream', pieces: [long], after: { kind: 'answer' } });
      await all(open(kit, { ...CHEAPEST, idempotencyKey }));
    }
    const again = async (idempotencyKey: string) => endOf(await all(open(kit, { ...CHEAPEST, idempotencyKey })));
    expect(await again(keys[0]!)).toMatchObject({ isReplayed: true });
    expect(await again(keys.at(-1)!)).toMatchObject({ isReplayed: false });
  });

  test('that was used for something else is a conflict', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(ANSWER);
    await all(open(kit, KEYED));
    expect(endOf(await all(open(kit, { ...KEYED, prompt: 'bye' })))).toMatchObject({
      kind: 'notRun',
      why: { code: 'IDEMPOTENCY_CONFLICT' },
    });
  });

  test('is free again after a failure', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    for (const { key } of PRICED.providers)
      kit.provider(key).script({ kind: 'fail', failure: { kind: 'providerError' } });
    expect(endOf(await all(open(kit, KEYED))).kind).toBe('ended');
    kit.provider('d').script(ANSWER);
    expect(textOf(await all(open(kit, { ...KEYED, routing: { only: ['d'] } })))).toBe('Hello, Ann');
  });
});

test('a request that nobody takes has no start', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  const pieces = await all(open(kit, { ...CHEAPEST, maxCostUsd: 1n as never }));
  expect(kindsOf(pieces)).toEqual(['ended']);
  expect(endOf(pieces)).toMatchObject({ kind: 'ended', why: { code: 'COST_LIMIT_TOO_LOW' } });
});

test('a store that is away is thrown, as by a chat', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  Object.assign(kit.deps.store, { look: () => Promise.reject(new StoreUnavailable('away')) });
  await expect(all(open(kit, CHEAPEST))).rejects.toBeInstanceOf(StoreUnavailable);
});

test('a provider that does not stream is not asked to', async () => {
  const [first, ...others] = PRICED.providers;
  const mute = { ...first!, models: first!.models.map((model) => ({ ...model, capabilities: [] })) };
  await using kit = makeGatewayKit({ registry: { ...PRICED, providers: [mute, ...others] } });
  kit.provider('b').script(ANSWER);
  const outcome = endOf(await all(open(kit, CHEAPEST)));
  expect(outcome).toMatchObject({ kind: 'answered', provider: 'b' });
  expect(outcome.kind === 'answered' && outcome.routing.candidates.at(-1)?.rejection?.reason).toBe('missingCapability');
});

test('when the gateway stops, a stream ends as cancelled, and is paid for', async () => {
  const kit = makeGatewayKit({ registry: PRICED });
  kit.provider('a').script(SILENT);
  const stream = open(kit, CHEAPEST);
  await stream.pieces.next();
  await stream.pieces.next();
  const rest = all(stream);
  await kit[Symbol.asyncDispose]();
  expect(endOf(await rest)).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  expect(await moneyOf(kit)).toEqual({ posted: 20_000_000n, held: 0n });
});

test('a stream that is stopped while its key is asked for calls nobody', async () => {
  const kit = makeGatewayKit({ registry: PRICED });
  kit.provider('a').script(SILENT);
  const gate = Promise.withResolvers<void>();
  const { claimKey } = kit.deps.store;
  Object.assign(kit.deps.store, {
    claimKey: async (claim: Parameters<typeof claimKey>[0]) => {
      await gate.promise;
      return claimKey(claim);
    },
  });
  const pieces = all(open(kit, KEYED));
  await quiet();
  const stopped = kit[Symbol.asyncDispose]();
  gate.resolve();
  expect(endOf(await pieces)).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  await stopped;
  expect(kit.provider('a').calls).toHaveLength(0);
});
