import { describe, expect, test } from 'vitest';
import { KEY_LIMITS } from '../../src/core/idempotency.ts';
import { ANONYMOUS, requestId } from '../../src/core/ids.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeGatewayKit, quiet, usd } from '../support/gateway-kit.ts';
import { asReplayed, COST, callsOf, holdFirst, KEYED, makeKit, moneyOf, passing, recordsOf } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';

describe('a chat that is sent again with its key', () => {
  test('is told the first answer as it was: nothing is called, charged or recorded again', async () => {
    await using kit = makeKit();
    const first = await kit.send(KEYED);
    expect(first).toMatchObject({ kind: 'answered', isReplayed: false, cost: { total: COST } });
    kit.clock.advance(KEY_LIMITS.keptMs - 1);
    expect(await kit.send(KEYED)).toEqual(asReplayed(first));
    expect(await kit.send(KEYED)).toEqual(asReplayed(first));
    expect(callsOf(kit)).toBe(1);
    expect(await moneyOf(kit)).toEqual({ posted: COST, held: 0n });
    expect((await recordsOf(kit)).map(({ id }) => id)).toEqual([first.requestId]);
  });

  test('is the same chat when it is spelled differently, or has more time', async () => {
    await using kit = makeKit();
    const first = await kit.send({ ...KEYED, metadata: { a: '1', b: '2' } });
    const again = { ...KEYED, model: 'auto', system: null, metadata: { b: '2', a: '1' }, timeoutMs: 120_000 };
    expect(await kit.send(again)).toEqual(asReplayed(first));
    expect(callsOf(kit)).toBe(1);
  });

  test('runs once more after 24 hours', async () => {
    await using kit = makeKit();
    const first = await kit.send(KEYED);
    kit.clock.advance(KEY_LIMITS.keptMs);
    await quiet();
    const second = await kit.send(KEYED);
    expect(second).toMatchObject({ kind: 'answered', isReplayed: false });
    expect(second.requestId).not.toBe(first.requestId);
    expect(callsOf(kit)).toBe(2);
  });

  test('but asks something else is refused, and told whose key it is', async () => {
    await using kit = makeKit();
    const first = await kit.send(KEYED);
    expect(await kit.send({ ...KEYED, prompt: 'hello!' })).toMatchObject({
      kind: 'notRun',
      requestId: first.requestId,
      why: { code: 'IDEMPOTENCY_CONFLICT', isRetryable: false, retryAfterMs: null },
    });
    expect(callsOf(kit)).toBe(1);
    expect(await recordsOf(kit)).toHaveLength(1);
  });

  test('by another user is that user’s own chat, as is one without a key', async () => {
    await using kit = makeKit();
    await kit.send(KEYED);
    for (const raw of [
      { ...KEYED, userId: 'bob' },
      { ...KEYED, userId: null },
      { ...KEYED, idempotencyKey: null },
    ]) {
      expect(await kit.send(raw)).toMatchObject({ kind: 'answered', isReplayed: false });
    }
    expect(callsOf(kit)).toBe(4);
    expect((await moneyOf(kit, 'bob')).posted).toBe(COST);
  });

  test('after a preview of it finds a key that is free: to preview takes nothing', async () => {
    await using kit = makeKit();
    await kit.preview(KEYED);
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
    expect((await kit.preview({ ...KEYED, prompt: 'something else' })).blockedBy).toBeNull();
  });
});

describe('50 sendings of one chat at once', () => {
  test('are one call, one charge and 50 equal answers', async () => {
    await using kit = makeKit();
    const answer = holdFirst(kit, { kind: 'answer' });
    const sendings = Array.from({ length: 50 }, () => kit.send(KEYED));
    await quiet();
    kit.clock.advance(5_000);
    await quiet();
    answer();
    const outcomes = await passing(kit, Promise.all(sendings));
    expect(outcomes.filter((outcome) => outcome.kind === 'answered' && !outcome.isReplayed)).toHaveLength(1);
    for (const outcome of outcomes) expect(asReplayed(outcome)).toEqual(asReplayed(outcomes[0]!));
    expect(callsOf(kit)).toBe(1);
    expect(await moneyOf(kit)).toEqual({ posted: COST, held: 0n });
    expect(await recordsOf(kit)).toHaveLength(1);
  });

  test('are all told when it ends without an answer, and one that comes later tries anew', async () => {
    await using kit = makeKit();
    const fail = holdFirst(kit, { kind: 'fail', failure: { kind: 'rejected', message: 'HTTP 400: no' } });
    const sendings = Array.from({ length: 50 }, () => kit.send(KEYED));
    await quiet();
    fail();
    const outcomes = await passing(kit, Promise.all(sendings));
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(outcomes[0]).toMatchObject({ kind: 'ended', why: { code: 'ALL_PROVIDERS_FAILED' } });
    expect(callsOf(kit)).toBe(1);
    kit.provider('a').script({ kind: 'answer' });
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
  });
});

describe('a key whose chat ended without an answer', () => {
  test('is free: when there is money again, it runs, also with a corrected input', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.000001') });
    expect(await kit.send(KEYED)).toMatchObject({
      kind: 'ended',
      why: { code: 'BUDGET_EXCEEDED', isRetryable: false },
    });
    const wish = { holder: { level: 'user', id: 'ann' }, limit: usd('1'), period: 'total', resetUsage: false } as const;
    await kit.gateway.setBudget(wish, kit.callOf(KEYED).caller);
    expect(await kit.send({ ...KEYED, maxOutputTokens: 100 })).toMatchObject({ kind: 'answered', isReplayed: false });
  });

  test('is paid anew for what the retry costs: what the first try cost stays on record', async () => {
    await using kit = makeKit();
    const failure = { kind: 'rejected', billed: 'unknown' } as const;
    kit.provider('a').script({ kind: 'fail', failure }, { kind: 'answer' });
    const failed = await kit.send({ ...KEYED, maxOutputTokens: 100 });
    expect(failed).toMatchObject({ kind: 'ended', why: { code: 'ALL_PROVIDERS_FAILED' } });
    // Two records of one moment stand in no order.
    kit.clock.advance(1);
    const answered = await kit.send({ ...KEYED, maxOutputTokens: 100 });
    expect(answered.kind).toBe('answered');
    const costs = [failed, answered].map((outcome) => (outcome.kind === 'notRun' ? 0n : outcome.cost.total));
    expect((await moneyOf(kit)).posted).toBe(costs[0]! + costs[1]!);
    expect((await recordsOf(kit)).map(({ status }) => status)).toEqual(['failed', 'succeeded']);
  });
});

test('keys that have expired are deleted by themselves, all of them, in time', async () => {
  await using kit = makeKit();
  for (let number = 0; number < 1_200; number += 1) {
    const requestOf = requestId(newUuid());
    const claim = {
      account: ANONYMOUS,
      key: `k-${number}`,
      requestId: requestOf,
      bodyHash: 'a',
      leaseMs: 1,
      awaited: null,
    };
    await kit.store.claimKey(claim);
  }
  await quiet();
  kit.clock.advance(KEY_LIMITS.keptMs);
  await quiet();
  kit.clock.advance(60_000);
  await quiet();
  expect(await kit.store.forgetKeys(10_000)).toBe(0);
});
