import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { requestId, userAccount } from '../../src/core/ids.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { asReplayed, COST, callsOf, holdFirst, KEYED, makeKit, moneyOf, passing, recordsOf } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';

describe('whoever waits for another sending', () => {
  test('waits no longer than its own time limit, and is told which request it waited for', async () => {
    await using kit = makeKit();
    const answer = holdFirst(kit, { kind: 'answer' });
    const runner = kit.send(KEYED);
    await quiet();
    const startedAtMs = kit.clock.elapsedMs();
    const waiter = await passing(kit, kit.send({ ...KEYED, timeoutMs: 3_000 }), 1);
    expect(kit.clock.elapsedMs() - startedAtMs).toBe(3_000);
    answer();
    const first = await runner;
    expect(waiter).toMatchObject({
      kind: 'notRun',
      requestId: first.requestId,
      why: { code: 'TIMED_OUT', timeoutMs: 3_000, isRetryable: true },
    });
    expect(first).toMatchObject({ kind: 'answered', isReplayed: false });
    expect(await recordsOf(kit)).toHaveLength(1);
  });

  test('is told soon after the end', async () => {
    await using kit = makeKit();
    const answer = holdFirst(kit, { kind: 'answer' });
    const runner = kit.send(KEYED);
    await quiet();
    const waiter = kit.send(KEYED);
    await quiet();
    kit.clock.advance(10_000);
    await quiet();
    answer();
    await runner;
    const endedAtMs = kit.clock.elapsedMs();
    expect(await passing(kit, waiter, 10)).toMatchObject({ kind: 'answered', isReplayed: true });
    expect(kit.clock.elapsedMs() - endedAtMs).toBeLessThanOrEqual(500);
  });

  test('and leaves, leaves at once: nothing is left behind, and the other runs on', async () => {
    await using kit = makeKit();
    const answer = holdFirst(kit, { kind: 'answer' });
    const runner = kit.send(KEYED);
    await quiet();
    const before = kit.clock.timerCount();
    const leaving = new AbortController();
    const waiter = kit.send(KEYED, leaving.signal);
    await quiet();
    leaving.abort();
    expect(await waiter).toMatchObject({ kind: 'notRun', why: { code: 'CANCELLED' } });
    expect(kit.clock.timerCount()).toBe(before);
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0);
    answer();
    expect(await runner).toMatchObject({ kind: 'answered' });
  });

  test('takes over when the replica of the other died, within its own time limit', async () => {
    await using kit = makeKit();
    const dead = requestId(newUuid());
    const account = userAccount('ann');
    const seal = kit.deps.makeSeal({ account, key: 'k-1' });
    const claim = { account, key: seal.name, requestId: dead, leaseMs: 40_000, awaited: null };
    await kit.store.claimKey({ ...claim, bodyHash: seal.digest(fingerprintOf(kit.callOf(KEYED).request)) });
    const startedAtMs = kit.clock.elapsedMs();
    kit.provider('a').script({ kind: 'hang' });
    kit.provider('b').script({ kind: 'hang' });
    const outcome = await passing(kit, kit.send({ ...KEYED, timeoutMs: 60_000 }));
    expect(kit.clock.elapsedMs() - startedAtMs).toBeLessThanOrEqual(60_000);
    expect(outcome).toMatchObject({ kind: 'ended', why: { code: 'TIMED_OUT', timeoutMs: 60_000 } });
    expect(callsOf(kit)).toBeGreaterThan(0);
    kit.provider('a').script({ kind: 'answer' });
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
    expect(await kit.store.endClaim(claim, { kind: 'kept', outcome: 'late' })).toBe(false);
    expect(await kit.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: true });
  });
});

describe('a caller with a key who leaves', () => {
  test('in mid-call finds the answer when it comes back: the chat ran on, and was paid once', async () => {
    await using kit = makeKit();
    const answer = holdFirst(kit, { kind: 'answer' });
    const leaving = new AbortController();
    const first = kit.send(KEYED, leaving.signal);
    await quiet();
    leaving.abort();
    await quiet();
    const second = kit.send(KEYED);
    await quiet();
    answer();
    expect(await passing(kit, second)).toEqual(asReplayed(await first));
    expect(callsOf(kit)).toBe(1);
    expect(await moneyOf(kit)).toEqual({ posted: COST, held: 0n });
    expect((await recordsOf(kit)).map(({ status }) => status)).toEqual(['succeeded']);
  });

  test('and does not come back is stopped by the time limit like anybody else', async () => {
    await using kit = makeKit();
    for (const { key } of PRICED.providers) kit.provider(key).script({ kind: 'hang' });
    const leaving = new AbortController();
    const chat = kit.send({ ...KEYED, timeoutMs: 5_000 }, leaving.signal);
    await quiet();
    leaving.abort();
    const startedAtMs = kit.clock.elapsedMs();
    expect(await passing(kit, chat)).toMatchObject({ kind: 'ended', why: { code: 'TIMED_OUT' } });
    expect(kit.clock.elapsedMs() - startedAtMs).toBeLessThanOrEqual(5_000);
  });
});

test('a gateway that stops ends chats whose callers left: they are settled, and another replica may run them', async () => {
  const kit = makeKit();
  kit.provider('a').script({ kind: 'hang' });
  const leaving = new AbortController();
  const chat = kit.send(KEYED, leaving.signal);
  await quiet();
  leaving.abort();
  await kit[Symbol.asyncDispose]();
  expect(await chat).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  expect((await moneyOf(kit)).held).toBe(0n);
  await using other = makeGatewayKit({ registry: PRICED, store: kit.store });
  expect(await other.send(KEYED)).toMatchObject({ kind: 'answered', isReplayed: false });
});
