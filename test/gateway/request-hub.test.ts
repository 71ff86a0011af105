import { describe, expect, test } from 'vitest';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { JournalUnavailable } from '../../src/core/unavailable.ts';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { makeKit } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';
import { openWatch, storyOf, watchRequests } from './request-watching.ts';

const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };
const BACKLOG_MAX = 256;
const WATCHERS_MAX = 1_000;

function cancel({ gateway }: GatewayKit, call: ReturnType<GatewayKit['callOf']>) {
  return gateway.cancelChat({ id: call.requestId, caller: call.caller, signal: call.signal });
}

describe('who watches requests', () => {
  test('is told of each as it starts, is rerouted and ends, with the failed attempt and the record', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    const watching = watchRequests(kit.gateway);
    const outcome = await kit.chat(CHEAPEST);
    await quiet();
    expect(storyOf(watching.notices)).toEqual(['started a', 'rerouted b', 'succeeded b']);
    const [started, rerouted, succeeded] = watching.notices.map(({ event }) => event);
    expect(started).toMatchObject({ attempt: null, request: { status: 'running', userId: 'ann' } });
    expect(rerouted).toMatchObject({
      attempt: { provider: 'a', outcome: 'providerError' },
      request: { fellBack: true },
    });
    expect(succeeded?.request).toEqual(await kit.store.find(outcome.requestId));
  });

  test('is told of the end when the record is in the log, not before', async () => {
    await using kit = makeKit();
    const word = Promise.withResolvers<void>();
    const { record } = kit.deps.store;
    Object.assign(kit.deps.store, {
      record: async (of: Parameters<typeof record>[0]) => {
        await word.promise;
        return record(of);
      },
    });
    const watching = watchRequests(kit.gateway);
    const chat = kit.chat(CHEAPEST);
    await quiet();
    expect(storyOf(watching.notices)).toEqual(['started a']);
    word.resolve();
    await chat;
    await quiet();
    expect(storyOf(watching.notices)).toEqual(['started a', 'succeeded a']);
  });

  test('is told first what runs already', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    kit.provider('b').script({ kind: 'hang' });
    const call = kit.callOf(CHEAPEST);
    const outcome = kit.gateway.chat(call);
    await quiet();
    const watching = watchRequests(kit.gateway);
    await quiet();
    expect(watching.notices).toMatchObject([
      { event: { kind: 'started', attempt: null, request: { id: call.requestId, status: 'running', provider: 'b' } } },
    ]);
    await cancel(kit, call);
    await outcome;
    await quiet();
    expect(storyOf(watching.notices)).toEqual(['started b', 'cancelled b']);
  });

  test('is told of what is refused, of what fails, and of what is stopped', async () => {
    await using kit = makeKit();
    const watching = watchRequests(kit.gateway);
    await kit.chat({ ...CHEAPEST, maxCostUsd: 1n as never });
    for (const key of ['a', 'b', 'c', 'd']) kit.provider(key).script({ kind: 'fail', failure: { kind: 'rejected' } });
    await kit.chat(CHEAPEST);
    const left = new AbortController();
    kit.provider('a').script({ kind: 'hang' });
    const hanging = kit.chat(CHEAPEST, left.signal);
    await quiet();
    left.abort();
    await hanging;
    await quiet();
    expect(storyOf(watching.notices)).toEqual(['refused nowhere', 'started a', 'failed a', 'started a', 'cancelled a']);
  });

  test('is told that a chat is over which a bug of ours, or a full disk, broke off', async () => {
    await using kit = makeKit();
    Object.assign(kit.deps.store, { dispatch: () => Promise.reject(new JournalUnavailable('the disk is full')) });
    const watching = watchRequests(kit.gateway);
    await expect(kit.chat(CHEAPEST)).rejects.toBeInstanceOf(JournalUnavailable);
    await quiet();
    expect(storyOf(watching.notices)).toEqual(['started a', 'failed a']);
  });

  test('by a filter is told of those that match as they are then', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    const anns = watchRequests(kit.gateway, { userId: 'ann' });
    const ends = watchRequests(kit.gateway, { status: ['succeeded'] });
    const rerouted = watchRequests(kit.gateway, { fellBack: true });
    const labelled = watchRequests(kit.gateway, { metadata: { team: 'red' } });
    await kit.chat(CHEAPEST);
    await kit.chat({ ...CHEAPEST, userId: 'bob', metadata: { team: 'red' } });
    await quiet();
    const whole = ['started a', 'rerouted b', 'succeeded b'];
    expect(storyOf(anns.notices)).toEqual(whole);
    expect(storyOf(ends.notices)).toEqual(['succeeded b', 'succeeded b']);
    expect(storyOf(rerouted.notices)).toEqual([...whole.slice(1), ...whole.slice(1)]);
    expect(storyOf(labelled.notices)).toEqual(whole);
    expect(labelled.notices.every(({ event }) => event.request.userId === 'bob')).toBe(true);
  });
});

test('a slow watcher loses the oldest events and is told how many; others lose nothing, and no chat waits', async () => {
  await using kit = makeKit();
  const slow = openWatch(kit.gateway);
  const quick = watchRequests(kit.gateway);
  for (let chats = 0; chats < 200; chats += 1) await kit.chat(CHEAPEST);
  await quiet();
  expect(quick.notices).toHaveLength(400);
  expect(quick.notices.every(({ dropped }) => dropped === 0)).toBe(true);
  const late = slow.reading[Symbol.asyncIterator]();
  const first = await late.next();
  expect(first.value).toMatchObject({ dropped: 400 - BACKLOG_MAX, event: quick.notices[400 - BACKLOG_MAX]?.event });
  expect(await late.next()).toMatchObject({ value: { dropped: 0 } });
});

describe('watching', () => {
  test('is bounded, and a place is free again as soon as somebody leaves, whether or not anything was read', async () => {
    await using kit = makeKit();
    const watches = Array.from({ length: WATCHERS_MAX }, () => openWatch(kit.gateway));
    expect(() => openWatch(kit.gateway)).toThrow(`at most ${WATCHERS_MAX}`);
    watches[0]?.leave();
    const next = openWatch(kit.gateway);
    expect(() => openWatch(kit.gateway)).toThrow(`at most ${WATCHERS_MAX}`);
    next.leave();
  });

  test('ends when the watcher leaves, and when the gateway stops', async () => {
    const kit = makeKit();
    const one = watchRequests(kit.gateway);
    const other = watchRequests(kit.gateway);
    one.leave();
    await one.over;
    await kit[Symbol.asyncDispose]();
    await other.over;
  });

  test('costs nothing when nobody does: no other replica is asked, and no view of a request is worked out', async () => {
    const said: string[] = [];
    const plain = makeGatewayKit({ registry: PRICED });
    await using kit = makeGatewayKit({
      registry: PRICED,
      store: { ...plain.store, publish: (topic) => void said.push(topic) },
    });
    await kit.chat(CHEAPEST);
    kit.clock.advance(10_000);
    await quiet();
    expect(said).toEqual([]);
    const watching = watchRequests(kit.gateway);
    await quiet();
    kit.clock.advance(2_000);
    await quiet();
    expect(said).toEqual(['requests.ask', 'requests.ask']);
    watching.leave();
    await watching.over;
    kit.clock.advance(10_000);
    await quiet();
    // The asking that was due when the last one left.
    expect(said.length).toBeLessThanOrEqual(3);
  });
});
