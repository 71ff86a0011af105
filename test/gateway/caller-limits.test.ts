import { describe, expect, test } from 'vitest';
import { apiKeyId } from '../../src/core/ids.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import type { Caller } from '../../src/gateway/caller.ts';
import type { StreamPiece } from '../../src/gateway/stream-log.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { callerWith } from '../support/key-caller.ts';
import { recordsOf } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';

const RAW = { prompt: 'hello', maxOutputTokens: 20 };

function sendAs(kit: GatewayKit, caller: Caller, raw: object = {}) {
  return kit.gateway.chat({ ...kit.callOf({ ...RAW, ...raw }), caller });
}

function callsOf(kit: GatewayKit): number {
  return PRICED.providers.reduce((sum, { key }) => sum + kit.provider(key).calls.length, 0);
}

describe('a key with a limit of requests', () => {
  test('is refused beyond it: nothing is called, charged or recorded; and let in at the very moment that was told', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ requestsPerMinute: 2 });
    expect((await sendAs(kit, caller)).kind).toBe('answered');
    kit.clock.advance(10_000);
    expect((await sendAs(kit, caller)).kind).toBe('answered');
    const refused = await sendAs(kit, caller);
    if (refused.kind !== 'notRun' || refused.why.kind !== 'rateLimited') throw new Error('it was not refused');
    const { retryAfterMs, rateLimit, message, code, isRetryable } = refused.why;
    expect({ code, isRetryable, message }).toEqual({
      code: 'RATE_LIMITED',
      isRetryable: true,
      message: `This key has used up its limit of 2 requests a minute. Try again in ${retryAfterMs} ms.`,
    });
    expect(rateLimit).toEqual({ limit: 2, used: 2, freeAtMs: kit.clock.now() + retryAfterMs! });
    expect(callsOf(kit)).toBe(2);
    expect(await recordsOf(kit)).toHaveLength(2);
    kit.clock.advance(retryAfterMs! - 50);
    expect((await sendAs(kit, caller)).kind).toBe('notRun');
    kit.clock.advance(50);
    expect((await sendAs(kit, caller)).kind).toBe('answered');
  });

  test('shares it with the keys of its line, and with nobody else', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ requestsPerMinute: 1 });
    const rotated: Caller = { ...caller, key: { ...caller.key, id: apiKeyId('line-1-second') } };
    expect((await sendAs(kit, caller)).kind).toBe('answered');
    expect((await sendAs(kit, rotated)).kind).toBe('notRun');
    expect((await sendAs(kit, callerWith({ requestsPerMinute: 1 }, 'line-2'))).kind).toBe('answered');
    expect((await kit.send(RAW)).kind).toBe('answered');
  });

  test('sees how it stands, and beside its answers', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ requestsPerMinute: 5, tokensPerMinute: 1_000 });
    expect(kit.gateway.limitsSeen(caller)).toBeNull();
    await sendAs(kit, caller);
    expect(await kit.gateway.rateLimitOf(caller)).toMatchObject({ limit: 5, used: 1, freeAtMs: null });
    // Estimated, as it was when the request began: 2 tokens of input and 20 of output.
    expect(kit.gateway.limitsSeen(caller)).toMatchObject({
      requests: { limit: 5, remaining: 4 },
      tokens: { limit: 1_000, remaining: 978 },
    });
    const before = kit.gateway.limitsSeen(caller)!.requests!.resetMs;
    kit.clock.advance(7_000);
    expect(kit.gateway.limitsSeen(caller)!.requests!.resetMs).toBe(before - 7_000);
    expect(await kit.gateway.rateLimitOf(callerWith({ concurrency: 1 }))).toBeNull();
  });
});

describe('a key with a limit of tokens', () => {
  test('is charged as estimated at first, and what was really used in the end', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ tokensPerMinute: 60 });
    // 22 estimated, 15 used.
    for (let number = 0; number < 3; number += 1) {
      expect((await sendAs(kit, caller)).kind).toBe('answered');
      await quiet();
    }
    const refused = await sendAs(kit, caller);
    expect(refused).toMatchObject({
      kind: 'notRun',
      why: { code: 'RATE_LIMITED', rateLimit: { limit: 60, used: 45 } },
    });
  });

  test('may never send what alone is more: no retry helps', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ tokensPerMinute: 21 });
    const wanted = {
      code: 'INVALID_INPUT',
      isRetryable: false,
      retryAfterMs: null,
      issues: [{ path: ['maxOutputTokens'] }],
    };
    expect(await sendAs(kit, caller)).toMatchObject({ kind: 'notRun', why: wanted });
    expect((await kit.gateway.preview({ ...kit.callOf(RAW), caller })).blockedBy).toMatchObject(wanted);
    expect((await sendAs(kit, caller, { maxOutputTokens: 19 })).kind).toBe('answered');
  });

  test('pays for what failed attempts used, and as estimated for what nobody knows of', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ tokensPerMinute: 1_000 });
    const [first] = PRICED.providers;
    kit.provider(first!.key).script({ kind: 'fail', failure: { kind: 'providerError', billed: 'unknown' } });
    expect((await sendAs(kit, caller)).kind).toBe('answered');
    await quiet();
    const limits = { requestsPerMinute: null, tokensPerMinute: 1_000, concurrency: null };
    const { tokens } = (await kit.store.askCaller({ line: apiKeyId('line-1'), limits, tokens: 0 })).standing;
    expect(tokens!.used).toBe(22 + 15);
  });
});

describe('a key with a limit of requests at once', () => {
  test('is refused while as many are under way, and let in when one has ended, however it ended', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ concurrency: 1 });
    for (const { key } of PRICED.providers) kit.provider(key).script({ kind: 'hang' });
    const leaving = new AbortController();
    const first = kit.gateway.chat({ ...kit.callOf(RAW), caller, signal: leaving.signal });
    await quiet();
    const refused = await sendAs(kit, caller);
    expect(refused).toMatchObject({
      kind: 'notRun',
      why: { code: 'RATE_LIMITED', retryAfterMs: 1_000, rateLimit: { limit: 1, used: 1 } },
    });
    leaving.abort();
    expect(await first).toMatchObject({ kind: 'ended', why: { kind: 'cancelled' } });
    await quiet();
    for (const { key } of PRICED.providers)
      kit.provider(key).script({ kind: 'fail', failure: { kind: 'providerError', billed: 'nothing' } });
    expect(await sendAs(kit, caller)).toMatchObject({ kind: 'ended', why: { kind: 'allProvidersFailed' } });
    await quiet();
    for (const { key } of PRICED.providers) kit.provider(key).script({ kind: 'answer' });
    expect((await sendAs(kit, caller)).kind).toBe('answered');
  });

  test('has it back when its reader leaves a stream', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ concurrency: 1 });
    for (const { key } of PRICED.providers)
      kit.provider(key).script({ kind: 'stream', pieces: ['one'], after: { kind: 'hang' } });
    const pieces: StreamPiece[] = [];
    for await (const piece of kit.gateway.stream({ ...kit.callOf(RAW), caller, resumeAfter: null })) {
      pieces.push(piece);
      if ('event' in piece && piece.event.kind === 'delta') break;
    }
    await quiet();
    for (const { key } of PRICED.providers) kit.provider(key).script({ kind: 'answer' });
    expect((await sendAs(kit, caller)).kind).toBe('answered');
  });
});

test('a stream beyond the limit ends with the refusal, and with nothing before it', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  const caller = callerWith({ requestsPerMinute: 1 });
  await sendAs(kit, caller);
  const pieces: StreamPiece[] = [];
  for await (const piece of kit.gateway.stream({ ...kit.callOf(RAW), caller, resumeAfter: null })) pieces.push(piece);
  expect(pieces).toMatchObject([
    { event: { kind: 'ended', outcome: { kind: 'notRun', why: { code: 'RATE_LIMITED' } } } },
  ]);
});

describe('an idempotency key', () => {
  const KEYED = { idempotencyKey: 'once' };

  test('that is told again does not count', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ requestsPerMinute: 1 });
    const first = await sendAs(kit, caller, KEYED);
    expect(await sendAs(kit, caller, KEYED)).toEqual({ ...first, isReplayed: true });
  });

  test('of a request that was refused is free for the next sending', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const caller = callerWith({ requestsPerMinute: 1 });
    await sendAs(kit, caller);
    const refused = await sendAs(kit, caller, KEYED);
    if (refused.kind !== 'notRun') throw new Error('it was not refused');
    await quiet();
    kit.clock.advance(refused.why.retryAfterMs!);
    expect(await sendAs(kit, caller, KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
  });
});

test('a preview says that it would be refused now, and takes nothing', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  const caller = callerWith({ requestsPerMinute: 1 });
  const preview = () => kit.gateway.preview({ ...kit.callOf(RAW), caller });
  for (let number = 0; number < 3; number += 1) expect((await preview()).blockedBy).toBeNull();
  await sendAs(kit, caller);
  expect((await preview()).blockedBy).toMatchObject({ kind: 'rateLimited', rateLimit: { limit: 1, used: 1 } });
});

test('while the store is away a key with limits is refused, and one without is not asked about here', async () => {
  const clock = makeFakeClock();
  const memory = makeMemoryStore({ registry: PRICED, now: clock.now, replica: REPLICA });
  let asked = 0;
  const away = async () => {
    asked += 1;
    throw new StoreUnavailable('it is away');
  };
  await using kit = makeGatewayKit({
    registry: PRICED,
    store: { ...memory, enterCaller: away, leaveCaller: away, askCaller: away },
  });
  await expect(sendAs(kit, callerWith({ concurrency: 2 }))).rejects.toThrow(StoreUnavailable);
  const askedByLimited = asked;
  expect((await sendAs(kit, callerWith({}))).kind).toBe('answered');
  expect((await kit.send(RAW)).kind).toBe('answered');
  expect(asked).toBe(askedByLimited);
});
