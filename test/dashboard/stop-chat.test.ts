import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { operationsIn, readDocuments } from '../../dashboard/build/documents.ts';
import { makeOpenLink } from '../../dashboard/live/link.ts';
import { makeLiveRoom } from '../../dashboard/live/live-room.ts';
import type { World } from '../../dashboard/live/world.ts';
import type { Room } from '../../dashboard/model/room.ts';
import type { Answer } from '../../dashboard/model/room-state.ts';
import { type RunningApp, startRealApp } from '../support/running-app.ts';

// What the page does to a chat that runs, in front of the whole service. Its mocks answer so slowly that no answer comes by itself.

const PATIENCE = { timeout: 15_000 };
const REQUEST = 'query ($id: ID!) { request(id: $id) { status } }';

let app: RunningApp;
beforeAll(async () => {
  const documents = new Map(operationsIn(readDocuments()).map(({ id, text }) => [id, text]));
  app = await startRealApp({ files: new Map(), documents }, { MOCK_LATENCY_SCALE: '100' });
});
afterAll(() => app[Symbol.asyncDispose]());

function makeWorld(): World {
  const after = (ms: number, act: () => void) => {
    const timer = setTimeout(act, ms).unref();
    return () => clearTimeout(timer);
  };
  const url = `${app.url.replace('http', 'ws')}/graphql`;
  return {
    openLink: makeOpenLink({ url, webSocket: WebSocket, now: () => performance.now(), after }),
    now: () => Date.now(),
    after,
    beforeFrame: (act) => void setImmediate(act),
    chance: () => 0.5,
    newName: () => crypto.randomUUID(),
    isInView: () => false,
    tabMemory: { read: () => null, keep() {}, clear() {} },
  };
}

/** A chat that runs. */
async function begin(room: Room): Promise<string> {
  await expect.poll(() => room.see.connection.value.kind, PATIENCE).toBe('live');
  room.acts.setPrompt('Hi');
  room.acts.send();
  const answer = (): Answer => room.see.tryIt.value.answer;
  await expect.poll(answer, PATIENCE).toMatchObject({ kind: 'streaming', requestId: expect.any(String) });
  const now = answer();
  if (now.kind !== 'streaming' || now.requestId === null) throw new RangeError(now.kind);
  return now.requestId;
}

async function statusOf(id: string): Promise<unknown> {
  return (await app.ask(REQUEST, { id })).data?.request;
}

test('a chat that is stopped in the page is stopped in the gateway, which says what it cost', async () => {
  const room = makeLiveRoom(makeWorld());
  const id = await begin(room);
  room.acts.stopAnswer();
  await expect
    .poll(() => room.see.tryIt.value.answer, PATIENCE)
    .toMatchObject({ kind: 'failed', error: { code: 'CANCELLED' }, costUsd: expect.any(String) });
  expect(await statusOf(id)).toEqual({ status: 'CANCELLED' });
});

test('a chat that runs when the key is forgotten is stopped too', async () => {
  const room = makeLiveRoom(makeWorld());
  const id = await begin(room);
  room.acts.forgetKey();
  await expect.poll(() => statusOf(id), PATIENCE).toEqual({ status: 'CANCELLED' });
});
