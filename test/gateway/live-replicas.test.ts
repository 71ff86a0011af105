import { expect, test } from 'vitest';
import { CHAT_LIMITS } from '../../src/core/chat-request.ts';
import { apiKeyId, replicaId, requestId } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { type Caller, OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { RequestNotice } from '../../src/gateway/gateway.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { keyed } from '../support/callers.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayKit, makeGatewayKit } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeDatabase } from '../support/store-database.ts';
import { moneyOf, passing } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';
import { storyOf, watchRequests } from './request-watching.ts';

const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };
const NEVER = new AbortController().signal;

/** Two replicas on one real PostgreSQL. */
async function makeReplicas(opened: AsyncDisposableStack): Promise<readonly [GatewayKit, GatewayKit]> {
  const { url } = opened.use(await makeDatabase());
  const open = async (name: string) => {
    const options = { kind: 'postgres', url, registry: PRICED, replica: replicaId(name), log: SILENT_LOG } as const;
    const store = opened.use(await openTestStore(options));
    return opened.use(makeGatewayKit({ registry: PRICED, store }));
  };
  return [await open('one'), await open('two')];
}

/** Lets time pass at both: events go out, and whoever watches asks for them again. */
function tick(kits: readonly GatewayKit[]): void {
  for (const { clock } of kits) clock.advance(100);
}

/** Chats at a replica until another one, which watches, is told of it. Answers how much it was told. */
async function untilHeard(
  kits: readonly [GatewayKit, GatewayKit],
  at: GatewayKit,
  notices: readonly RequestNotice[],
): Promise<number> {
  await eventually(async () => {
    await at.chat(CHEAPEST);
    tick(kits);
    return notices.length > 0;
  });
  const last = await at.chat(CHEAPEST);
  await eventually(() => {
    tick(kits);
    return notices.at(-1)?.event.request.id === last.requestId && notices.at(-1)?.event.kind === 'succeeded';
  });
  return notices.length;
}

/** Moves a replica's time on about as fast as real time goes by, which the other one's messages take. */
async function passingSlowly<Value>({ clock }: GatewayKit, promise: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  promise.then(over, over);
  await eventually(() => {
    if (!isOver) clock.advance(50);
    return isOver;
  });
  return promise;
}

test('a chat is stopped from another replica, which answers its record', async () => {
  await using opened = new AsyncDisposableStack();
  const [one, two] = await makeReplicas(opened);
  one.provider('a').script({ kind: 'stream', pieces: ['Hel', new Promise(() => undefined)], after: { kind: 'hang' } });
  const call = one.callOf(CHEAPEST);
  const outcome = one.gateway.chat({ ...call, onDelta: () => undefined });
  await expect.poll(() => one.provider('a').calls.length).toBe(1);
  const answer = await passingSlowly(
    two,
    two.gateway.cancelChat({ id: call.requestId, caller: OPEN_CALLER, signal: NEVER }),
  );
  expect(answer).toMatchObject({ kind: 'stopped', request: { id: call.requestId, status: 'cancelled' } });
  expect(await outcome).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  expect(await moneyOf(two)).toEqual({ posted: 20_000_000n, held: 0n });
});

test("another's chat is not stopped from another replica: it is as if it were not there, while it runs and after", async () => {
  await using opened = new AsyncDisposableStack();
  const [one, two] = await makeReplicas(opened);
  const [alice, bob] = ['alice', 'bob'].map((userId) => keyed(['chat'], { id: apiKeyId(userId), userId }));
  one.provider('a').script({ kind: 'hang' });
  const call = { ...one.callOf({ ...CHEAPEST, userId: null }), caller: alice! };
  const outcome = one.gateway.chat(call);
  await expect.poll(() => one.provider('a').calls.length).toBe(1);
  const cancel = (caller: Caller) => two.gateway.cancelChat({ id: call.requestId, caller, signal: NEVER });
  const startedAtMs = two.clock.elapsedMs();
  expect((await passing(two, cancel(bob!), 50)).kind).toBe('notFound');
  expect(two.clock.elapsedMs() - startedAtMs).toBeGreaterThanOrEqual(5_000);
  // As versions said it that asked nobody whose a chat is.
  two.store.publish('chat.cancel', call.requestId);
  expect(await passingSlowly(two, cancel(alice!))).toMatchObject({ kind: 'stopped', request: { status: 'cancelled' } });
  expect(await outcome).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  const againAtMs = two.clock.elapsedMs();
  expect((await passing(two, cancel(bob!), 50)).kind).toBe('notFound');
  expect(two.clock.elapsedMs() - againAtMs).toBeGreaterThanOrEqual(5_000);
});

test('an id that no replica knows is not found, after 5 s', async () => {
  await using opened = new AsyncDisposableStack();
  const [one] = await makeReplicas(opened);
  const startedAtMs = one.clock.elapsedMs();
  const answer = one.gateway.cancelChat({ id: requestId(newUuid()), caller: OPEN_CALLER, signal: NEVER });
  expect(await passing(one, answer, 50)).toMatchObject({ kind: 'notFound' });
  expect(one.clock.elapsedMs() - startedAtMs).toBeGreaterThanOrEqual(5_000);
});

test('whoever gives up stopping a chat of another replica does not wait on', async () => {
  await using opened = new AsyncDisposableStack();
  const [one] = await makeReplicas(opened);
  const leave = new AbortController();
  const answer = one.gateway.cancelChat({ id: requestId(newUuid()), caller: OPEN_CALLER, signal: leave.signal });
  leave.abort();
  expect(await answer).toMatchObject({ kind: 'notFound' });
});

test('what happens at one replica is told at another, in order, and the log has the rest', async () => {
  await using opened = new AsyncDisposableStack();
  const kits = await makeReplicas(opened);
  const [one, two] = kits;
  const { notices } = watchRequests(two.gateway);
  const before = await untilHeard(kits, one, notices);
  one.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
  const outcome = await one.chat(CHEAPEST);
  await eventually(() => {
    tick(kits);
    return notices.length >= before + 3;
  });
  const told = notices.slice(before);
  expect(storyOf(told)).toEqual(['started a', 'rerouted b', 'succeeded b']);
  expect(told[1]?.event).toMatchObject({ attempt: { provider: 'a', outcome: 'providerError' } });

  const record = await two.store.find(outcome.requestId);
  const end = told[2]!.event.request;
  expect(end).toEqual({ ...record, routing: null });
  expect(await two.gateway.completeRequest(end, NEVER)).toEqual(record);
  // Of what runs elsewhere nobody here knows the decision.
  expect(await two.gateway.completeRequest(told[0]!.event.request, NEVER)).toBeNull();
});

test('a request with long labels is told elsewhere without them, and nothing is missing', async () => {
  await using opened = new AsyncDisposableStack();
  const kits = await makeReplicas(opened);
  const [one, two] = kits;
  const { notices } = watchRequests(two.gateway);
  const before = await untilHeard(kits, one, notices);
  const label = 'ы'.repeat(CHAT_LIMITS.metadataCharsMax);
  const labels = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_none, at) => [`${at}${label}`.slice(0, label.length), label]));
  const long = await one.chat({ ...CHEAPEST, metadata: labels(CHAT_LIMITS.metadataLabelsMax) });
  const short = await one.chat({ ...CHEAPEST, metadata: labels(2) });
  await eventually(() => {
    tick(kits);
    return notices.length === before + 4;
  });
  const told = notices.slice(before);
  expect(told.map(({ event }) => event.request.id)).toEqual([long, long, short, short].map((one) => one.requestId));
  expect(told.map(({ event }) => event.request.metadata)).toEqual([{}, {}, labels(2), labels(2)]);
  expect(told.every(({ dropped }) => dropped === 0)).toBe(true);
  expect((await two.store.find(long.requestId))?.metadata).toEqual(labels(CHAT_LIMITS.metadataLabelsMax));
});

test('each replica tells its own events once, and hears those of the other', async () => {
  await using opened = new AsyncDisposableStack();
  const kits = await makeReplicas(opened);
  const [one, two] = kits;
  const atOne = watchRequests(one.gateway);
  await untilHeard(kits, two, atOne.notices);
  const atTwo = watchRequests(two.gateway);
  await untilHeard(kits, one, atTwo.notices);
  const { requestId: id } = await one.chat(CHEAPEST);
  const kindsAt = ({ notices }: typeof atOne) =>
    notices.filter(({ event }) => event.request.id === id).map(({ event }) => event.kind);
  await eventually(() => {
    tick(kits);
    return kindsAt(atTwo).length === 2;
  });
  expect([kindsAt(atOne), kindsAt(atTwo)]).toEqual([
    ['started', 'succeeded'],
    ['started', 'succeeded'],
  ]);
});

test('what is too much to be told is counted; nobody who does not watch any more is told anything', async () => {
  await using opened = new AsyncDisposableStack();
  const kits = await makeReplicas(opened);
  const [one, two] = kits;
  const watching = watchRequests(two.gateway);
  const filtered = watchRequests(two.gateway, { userId: 'ann' });
  const before = await untilHeard(kits, one, watching.notices);
  // 600 events of one moment, of which 512 are kept for the others.
  for (let chats = 0; chats < 300; chats += 1) await one.chat(CHEAPEST);
  const arrived = async (count: number) =>
    eventually(() => {
      tick(kits);
      return watching.notices.length === before + count;
    });
  await arrived(512);
  await one.chat(CHEAPEST);
  await arrived(514);
  const counts = watching.notices.slice(before).map(({ dropped }) => dropped);
  expect(counts).toEqual([...Array(512).fill(0), 88, 0]);
  // Nobody knows whether the filter would have kept those.
  expect(filtered.notices.filter(({ dropped }) => dropped > 0)).toEqual([]);
  filtered.leave();
  await filtered.over;

  watching.leave();
  await watching.over;
  one.clock.advance(7_000);
  const said: string[] = [];
  using _ear = two.store.onMessage('requests.tell', (text) => said.push(text));
  await one.chat(CHEAPEST);
  one.clock.advance(1_000);
  const mark = Promise.withResolvers<void>();
  using _mark = two.store.onMessage('mark', () => mark.resolve());
  one.store.publish('mark', '');
  await mark.promise;
  expect(said).toEqual([]);
});
