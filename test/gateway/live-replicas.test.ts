import { expect, test } from 'vitest';
import { replicaId, requestId } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayKit, makeGatewayKit } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeDatabase } from '../support/store-database.ts';
import { moneyOf, passing } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';

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
  const answer = await passingSlowly(two, two.gateway.cancelChat({ id: call.requestId, signal: NEVER }));
  expect(answer).toMatchObject({ kind: 'stopped', request: { id: call.requestId, status: 'cancelled' } });
  expect(await outcome).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  expect(await moneyOf(two)).toEqual({ posted: 20_000_000n, held: 0n });
});

test('an id that no replica knows is not found, after 5 s', async () => {
  await using opened = new AsyncDisposableStack();
  const [one] = await makeReplicas(opened);
  const startedAtMs = one.clock.elapsedMs();
  const answer = one.gateway.cancelChat({ id: requestId(newUuid()), signal: NEVER });
  expect(await passing(one, answer, 50)).toMatchObject({ kind: 'notFound' });
  expect(one.clock.elapsedMs() - startedAtMs).toBeGreaterThanOrEqual(5_000);
});

test('whoever gives up stopping a chat of another replica does not wait on', async () => {
  await using opened = new AsyncDisposableStack();
  const [one] = await makeReplicas(opened);
  const leave = new AbortController();
  const answer = one.gateway.cancelChat({ id: requestId(newUuid()), signal: leave.signal });
  leave.abort();
  expect(await answer).toMatchObject({ kind: 'notFound' });
});
