import { describe, expect, test } from 'vitest';
import { NO_FILTER } from '../../src/core/analytics.ts';
import { apiKeyId, requestId } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { epochMs } from '../../src/core/time.ts';
import { ADMIN_CALLER, type Caller } from '../../src/gateway/caller.ts';
import type { RequestNotice, TickWatchAnswer } from '../../src/gateway/gateway.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { keyed } from '../support/callers.ts';
import { type GatewayKit, quiet, usd } from '../support/gateway-kit.ts';
import { callsOf, makeKit } from './keyed-chats.ts';
import { read } from './reading.ts';
import { storyOf } from './request-watching.ts';

const CHEAPEST: RawChat = { prompt: 'hello', routing: { sort: 'price' } };
const NEVER = new AbortController().signal;
const SCOPES = ['chat', 'requests:read'] as const;
const ALICE = keyed(SCOPES, { id: apiKeyId('alicesKey001'), userId: 'alice' });
/** A key without a user, which may act for others. */
const PROXY = keyed([...SCOPES, 'chat:on-behalf-of'], { id: apiKeyId('proxysKey001') });
const BOB = keyed(SCOPES, { id: apiKeyId('bobsKey00001'), userId: 'bob' });

async function chatOf(kit: GatewayKit, caller: Caller, raw: RawChat = CHEAPEST) {
  const call = { ...kit.callOf(raw), caller };
  const outcome = await kit.gateway.chat(call);
  // Each comes at a moment of its own, so that their order is known.
  kit.clock.advance(1);
  return { id: call.requestId, outcome };
}

/** A key that acts for others does so under a budget of its own. */
const letProxyAct = (kit: GatewayKit) =>
  kit.gateway.setBudget(
    { holder: { level: 'key', id: PROXY.key.line }, limit: usd('1'), period: 'total', resetUsage: false },
    ADMIN_CALLER,
  );

async function idsSeenBy(kit: GatewayKit, caller: Caller): Promise<readonly string[]> {
  const page = { size: 50, direction: 'forward', cursor: null } as const;
  const order = { field: 'createdAt', direction: 'ascending' } as const;
  const answer = await kit.gateway.pageRequests({ page, filter: NO_FILTER, order, caller });
  return answer.kind === 'page' ? answer.page.items.map(({ item }) => item.id) : [];
}

describe('the log', () => {
  test('shows a key what its account pays and what its line sent, whoever that bills', async () => {
    await using kit = makeKit();
    await letProxyAct(kit);
    const own = await chatOf(kit, ALICE);
    const forAlice = await chatOf(kit, PROXY, { ...CHEAPEST, userId: 'alice' });
    const others = await chatOf(kit, BOB);
    expect(await idsSeenBy(kit, ALICE)).toEqual([own.id, forAlice.id]);
    expect(await idsSeenBy(kit, PROXY)).toEqual([forAlice.id]);
    expect(await idsSeenBy(kit, BOB)).toEqual([others.id]);
    expect(await idsSeenBy(kit, ADMIN_CALLER)).toEqual([own.id, forAlice.id, others.id]);
    expect(await kit.gateway.findRequest(forAlice.id, ALICE)).toMatchObject({
      account: 'user:alice',
      apiKey: { id: 'proxysKey001', line: 'proxysKey001' },
    });
    expect(await kit.gateway.findRequest(others.id, ALICE)).toBeNull();
  });

  test('a key that was rotated sees what the one before it sent', async () => {
    await using kit = makeKit();
    await letProxyAct(kit);
    const before = await chatOf(kit, PROXY, { ...CHEAPEST, userId: 'alice' });
    const after = keyed(SCOPES, { id: apiKeyId('proxysKey002'), line: apiKeyId('proxysKey001') });
    expect(await idsSeenBy(kit, after)).toEqual([before.id]);
  });

  test('numbers are counted from the same requests, those of providers and by key too', async () => {
    await using kit = makeKit();
    for (const caller of [ALICE, BOB, BOB, PROXY]) await chatOf(kit, caller);
    const nowMs = kit.clock.now();
    const window = { fromMs: epochMs(nowMs - 1_000), toMs: epochMs(nowMs + 1_000) };
    const query = { window, groupBy: ['user', 'apiKey'], filter: NO_FILTER, groupsMax: 10, intervalsMs: [] } as const;
    const { totals, groups } = await kit.gateway.analyse(query, BOB);
    expect(totals.requests).toBe(2);
    expect(groups.map(({ keys }) => keys)).toEqual([['bob', 'bobsKey00001']]);
    expect((await kit.gateway.analyse(query, ADMIN_CALLER)).groups.map(({ keys }) => keys)).toEqual([
      ['bob', 'bobsKey00001'],
      ['alice', 'alicesKey001'],
      ['none', 'proxysKey001'],
    ]);
    const { key } = kit.provider('a');
    expect(await kit.gateway.statsOf(key, window, ALICE)).toMatchObject({ requests: 1, attempts: 1 });
    expect(await kit.gateway.statsOf(key, window, keyed(['chat']))).toMatchObject({ requests: 0, attempts: 0 });
  });
});

describe('a watcher of requests', () => {
  const watch = (kit: GatewayKit, caller: Caller) => {
    const stop = new AbortController();
    const answer = kit.gateway.watchRequests({ filter: () => NO_FILTER, caller, signal: stop.signal });
    if (answer.kind !== 'watching') throw new RangeError(answer.message);
    const notices: RequestNotice[] = [];
    const over = (async () => {
      for await (const notice of answer.notices) notices.push(notice);
    })();
    return { notices, over, stop };
  };

  test("is told of the caller's own, also of those that run already", async () => {
    await using kit = makeKit();
    await letProxyAct(kit);
    const word = Promise.withResolvers<void>();
    const held = { kind: 'wait', until: word.promise, after: { kind: 'answer' } } as const;
    kit.provider('a').script(held);
    const running = chatOf(kit, BOB);
    await quiet();
    kit.provider('a').script(held);
    const runningToo = chatOf(kit, ALICE);
    await quiet();
    const watching = watch(kit, ALICE);
    await quiet();
    word.resolve();
    await Promise.all([running, runningToo, chatOf(kit, BOB), chatOf(kit, PROXY, { ...CHEAPEST, userId: 'alice' })]);
    await quiet();
    expect(watching.notices.every(({ event }) => event.request.account === 'user:alice')).toBe(true);
    expect(storyOf(watching.notices).toSorted()).toEqual(['started a', 'started a', 'succeeded a', 'succeeded a']);
  });

  test('who may not read is told of nothing, and of how much that was neither', async () => {
    await using kit = makeKit();
    const watching = watch(kit, keyed(['chat']));
    for (let count = 0; count < 300; count += 1) await chatOf(kit, BOB);
    watching.stop.abort();
    await watching.over;
    expect(watching.notices).toEqual([]);
  });
});

describe('ticks', () => {
  const readerOf = (answer: TickWatchAnswer) => {
    if (answer.kind !== 'watching') throw new RangeError(answer.message);
    return read(answer.ticks);
  };

  test('are of what the caller may see, what is under way included; whoever sees the same shares one reading', async () => {
    await using kit = makeKit();
    let readings = 0;
    const { analyse } = kit.deps.store;
    Object.assign(kit.deps.store, {
      analyse: (query: Parameters<typeof analyse>[0]) => {
        readings += 1;
        return analyse(query);
      },
    });
    await chatOf(kit, ALICE);
    await chatOf(kit, BOB);
    kit.provider('a').script({ kind: 'hang' });
    const hanging = chatOf(kit, BOB);
    await quiet();
    kit.clock.advance(10);
    const pace = { everyMs: 1_000, windowMs: 60_000 };
    const tickFor = async (caller: Caller) =>
      readerOf(await kit.gateway.watchTicks({ pace, caller, signal: NEVER })).next();
    expect(await tickFor(ALICE)).toMatchObject({ inFlight: 0, totals: { requests: 1 } });
    expect(await tickFor(BOB)).toMatchObject({ inFlight: 1, totals: { requests: 1 } });
    expect(await tickFor(ADMIN_CALLER)).toMatchObject({ inFlight: 1, totals: { requests: 2 } });
    expect(readings).toBe(3);
    await tickFor(keyed(['requests:read'], { id: ALICE.key.id, userId: 'alice' }));
    expect(readings).toBe(3);
    expect(await tickFor(keyed(['chat']))).toMatchObject({ inFlight: 0, totals: { requests: 0 } });
    kit.clock.advance(600_000);
    await hanging;
  });
});

describe('a chat', () => {
  const hanging = async (kit: GatewayKit, caller: Caller) => {
    kit.provider('a').script({ kind: 'hang' });
    const call = { ...kit.callOf(CHEAPEST), caller };
    const outcome = kit.gateway.chat(call);
    await quiet();
    return { id: call.requestId, outcome };
  };

  test("is stopped by whoever sent it, though it may not be read; others' is as if it were not there", async () => {
    await using kit = makeKit();
    const mute = keyed(['chat'], { userId: 'alice' });
    const { id, outcome } = await hanging(kit, mute);
    const cancel = (caller: Caller, of = id) => kit.gateway.cancelChat({ id: of, caller, signal: NEVER });
    const unknown = requestId(newUuid());
    const foreign = await cancel(BOB);
    expect(foreign.kind).toBe('notFound');
    const strange = await cancel(BOB, unknown);
    expect(JSON.stringify(foreign).replace(id, unknown)).toBe(JSON.stringify(strange));
    expect(await kit.gateway.findRequest(id, ADMIN_CALLER)).toMatchObject({ status: 'running' });
    expect(await kit.gateway.findRequest(id, mute)).toBeNull();
    expect(await cancel(mute)).toMatchObject({ kind: 'stopped', request: { id, status: 'cancelled' } });
    await outcome;
    expect((await cancel(BOB)).kind).toBe('notFound');
    expect((await cancel(mute)).kind).toBe('stopped');
  });

  test('is stopped by the operator, whosever it is', async () => {
    await using kit = makeKit();
    const { id, outcome } = await hanging(kit, BOB);
    expect((await kit.gateway.cancelChat({ id, caller: ADMIN_CALLER, signal: NEVER })).kind).toBe('stopped');
    await outcome;
  });

  test('two accounts that use one idempotency key do not meet; two keys of one account do', async () => {
    await using kit = makeKit();
    const raw = { ...CHEAPEST, idempotencyKey: 'order-1' };
    const alices = await chatOf(kit, ALICE, raw);
    const bobs = await chatOf(kit, BOB, raw);
    expect(callsOf(kit)).toBe(2);
    expect(bobs.outcome).toMatchObject({ kind: 'answered', requestId: bobs.id, isReplayed: false });
    const again = await chatOf(kit, keyed(['chat'], { id: apiKeyId('alicesKey002'), userId: 'alice' }), raw);
    expect(again.outcome).toMatchObject({ kind: 'answered', requestId: alices.id, isReplayed: true });
    expect(callsOf(kit)).toBe(2);
  });

  test('a stream is not joined by another account, whatever place in it that names', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'stream', pieces: ['for ', 'alice'], after: { kind: 'hang' } });
    kit.provider('a').script({ kind: 'stream', pieces: ['for ', 'bob'], after: { kind: 'answer' } });
    const streamOf = (caller: Caller, resumeAfter: number | null) => {
      const { onDelta: _none, ...call } = { ...kit.callOf({ ...CHEAPEST, idempotencyKey: 'order-1' }), caller };
      return kit.gateway.stream({ ...call, resumeAfter })[Symbol.asyncIterator]();
    };
    const alices = streamOf(ALICE, null);
    const started = (await alices.next()).value;
    await alices.next();
    const bobs = streamOf(BOB, 0);
    const first = (await bobs.next()).value;
    expect(first).toMatchObject({ sequence: 0, event: { kind: 'started' } });
    expect(first.event.requestId).not.toBe(started.event.requestId);
    await Promise.all([alices.return?.(), bobs.return?.()]);
  });
});
