import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { requestId } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { ChatCall } from '../../src/gateway/gateway.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { callsOf, KEYED, makeKit, moneyOf, passing, recordsOf } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';

const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };
const NEVER = new Promise<string>(() => undefined);
const CANCELLED = { kind: 'ended', why: { code: 'CANCELLED' } };

/** A chat that has been sent, and is as far as it gets by itself. */
async function send(kit: GatewayKit, raw: RawChat) {
  const call = kit.callOf(raw);
  const outcome = kit.gateway.chat(call);
  await quiet();
  return { call, outcome };
}

function cancel({ gateway }: GatewayKit, { requestId: id }: Pick<ChatCall, 'requestId'>) {
  return gateway.cancelChat({ id, caller: OPEN_CALLER, signal: new AbortController().signal });
}

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Holds back an act of the store until a word of the test. */
function holdBack(kit: GatewayKit, act: 'look' | 'dispatch') {
  const word = Promise.withResolvers<void>();
  const own = kit.deps.store[act];
  Object.assign(kit.deps.store, {
    [act]: async (argument: never) => {
      await word.promise;
      return own(argument);
    },
  });
  return word.resolve;
}

describe('a chat that runs', () => {
  test('is shown as running under its id, with its decision and what is held for it', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    kit.provider('b').script({ kind: 'hang' });
    const { call, outcome } = await send(kit, CHEAPEST);
    kit.clock.advance(40);
    const request = await kit.gateway.findAnswered(call.requestId);
    expect(request).toMatchObject({
      id: call.requestId,
      status: 'running',
      provider: 'b',
      fellBack: true,
      userId: 'ann',
      usage: null,
      finishReason: null,
      error: null,
      timing: { totalMs: 40 },
      routing: { attempts: [{ provider: 'a', outcome: 'providerError' }] },
    });
    expect(request?.cost.reserved).toBe((await moneyOf(kit)).held);
    await cancel(kit, call);
    await outcome;
    expect(await kit.gateway.findAnswered(call.requestId)).toMatchObject({ status: 'cancelled' });
  });

  test('is stopped: its caller is told so, nothing is left held, and the answer is its record', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'hang' });
    const { call, outcome } = await send(kit, CHEAPEST);
    const { held } = await moneyOf(kit);
    const answer = await cancel(kit, call);
    expect(answer).toMatchObject({ kind: 'stopped', request: { id: call.requestId, status: 'cancelled' } });
    expect(await outcome).toMatchObject(CANCELLED);
    // Nobody knows what the provider did meanwhile.
    expect(await moneyOf(kit)).toEqual({ posted: held, held: 0n });
    expect(await recordsOf(kit)).toEqual([answer.kind === 'stopped' && answer.request]);
    expect(callsOf(kit)).toBe(1);
  });

  test('as a stream is stopped too, and costs what was received of it', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'stream', pieces: ['Hel', NEVER], after: { kind: 'hang' } });
    const { onDelta: _none, ...call } = kit.callOf(KEYED);
    const pieces = all(kit.gateway.stream({ ...call, resumeAfter: null }));
    await quiet();
    expect(await cancel(kit, call)).toMatchObject({ request: { status: 'cancelled', isStreamed: true } });
    expect((await pieces).at(-1)).toMatchObject({ event: { kind: 'ended', outcome: CANCELLED } });
    expect(await moneyOf(kit)).toEqual({ posted: 20_000_000n, held: 0n });
  });

  test('with an idempotency key is not begun again, by whoever waits or asks once more', async () => {
    await using kit = makeKit();
    kit.provider('a').script({ kind: 'hang' }, { kind: 'answer' });
    const { call, outcome } = await send(kit, KEYED);
    const waiting = kit.send(KEYED);
    await quiet();
    await cancel(kit, call);
    expect(await outcome).toMatchObject(CANCELLED);
    expect(await passing(kit, waiting)).toMatchObject(CANCELLED);
    expect(await kit.send(KEYED)).toMatchObject(CANCELLED);
    expect(callsOf(kit)).toBe(1);
  });

  test('costs nothing when it is stopped after its admission and before its call', async () => {
    await using kit = makeKit();
    const goOn = holdBack(kit, 'dispatch');
    const { call, outcome } = await send(kit, CHEAPEST);
    expect((await moneyOf(kit)).held).toBeGreaterThan(0n);
    expect(await cancel(kit, call)).toMatchObject({ request: { status: 'cancelled', cost: { total: 0n } } });
    goOn();
    expect(await outcome).toMatchObject(CANCELLED);
    expect(await moneyOf(kit)).toEqual({ posted: 0n, held: 0n });
    expect(callsOf(kit)).toBe(0);
  });

  test('costs nothing when it is stopped before it is planned', async () => {
    await using kit = makeKit();
    const goOn = holdBack(kit, 'look');
    const { call, outcome } = await send(kit, CHEAPEST);
    expect(await kit.gateway.findAnswered(call.requestId)).toBeNull();
    const answer = cancel(kit, call);
    goOn();
    expect(await answer).toMatchObject({ request: { status: 'cancelled', provider: null } });
    expect(await outcome).toMatchObject(CANCELLED);
    expect(callsOf(kit)).toBe(0);
  });

  test('and does not stop within 5 s is answered as it is then', async () => {
    const word = Promise.withResolvers<void>();
    const deaf: ProviderPort = {
      ...makeGatewayKit({ registry: PRICED }).provider('a'),
      async call() {
        await word.promise;
        throw new RangeError('deaf');
      },
    };
    await using kit = makeGatewayKit({
      registry: PRICED,
      providers: new Map(PRICED.providers.map(({ key }) => [key, deaf])),
    });
    const { call, outcome } = await send(kit, CHEAPEST);
    const answer = cancel(kit, call);
    await quiet();
    kit.clock.advance(5_000);
    expect(await answer).toMatchObject({ kind: 'stopped', request: { status: 'running' } });
    word.resolve();
    await expect(outcome).rejects.toThrow('deaf');
    expect(await kit.gateway.findAnswered(call.requestId)).toBeNull();
  });
});

test('a chat that has ended is answered as it ended, and an unknown one is not found', async () => {
  await using kit = makeKit();
  const { call, outcome } = await send(kit, CHEAPEST);
  await outcome;
  expect(await cancel(kit, call)).toMatchObject({ kind: 'stopped', request: { status: 'succeeded' } });
  expect(await cancel(kit, { requestId: requestId(newUuid()) })).toMatchObject({ kind: 'notFound', code: 'NOT_FOUND' });
});

test('chats leave nothing on the signal of their connection', async () => {
  await using kit = makeKit();
  const connection = new AbortController();
  for (let chats = 0; chats < 20; chats += 1) await kit.chat(CHEAPEST, connection.signal);
  expect(getEventListeners(connection.signal, 'abort')).toHaveLength(0);
  connection.abort();
  expect(await kit.chat(CHEAPEST, connection.signal)).toMatchObject(CANCELLED);
});
