import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { operationsIn, readDocuments } from '../../dashboard/build/documents.ts';
import { BreakerEvents, GatewayFacts } from '../../dashboard/documents.generated.ts';
import { type Link, type LinkEvents, makeOpenLink } from '../../dashboard/live/link.ts';
import { KEY_A } from '../fakes/credentials.ts';
import { startService } from '../http/running-server.ts';

// The one connection of the page, in front of real servers: what a browser does is done by `ws`.

const persisted = {
  texts: new Map(operationsIn(readDocuments()).map(({ id, text }) => [id, text])),
  areOnlyOnes: true,
};

function later(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/** Opens a link, and tells what became of it. `after` is the link's own timer. */
function dial(port: number, authorization: string | null, after = later) {
  const opened = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<number>();
  const events: LinkEvents = { opened: opened.resolve, answered: answered.resolve, closed: closed.resolve };
  const url = `ws://127.0.0.1:${port}/graphql`;
  const link = makeOpenLink({ url, webSocket: WebSocket, now: () => performance.now(), after })(authorization, events);
  return { link, opened: opened.promise, answered: answered.promise, closed: closed.promise };
}

/** The first thing that is told of an operation. */
function firstOf(link: Link, document: typeof GatewayFacts | typeof BreakerEvents) {
  return new Promise<unknown>((resolve) => {
    const taker = { data: resolve, failed: resolve, ended: () => resolve('ended') };
    link.run<unknown, Readonly<Record<string, unknown>>>(document, {}, taker);
  });
}

test('everything is asked for by its id over one connection, which tells how long a ping takes', async () => {
  await using service = await startService({ persisted: () => persisted });
  const { link, opened, answered, closed } = dial(service.port, null);
  await opened;
  expect(await firstOf(link, GatewayFacts)).toMatchObject({ gateway: { version: '0.1.0-test' } });
  expect(await firstOf(link, BreakerEvents)).toMatchObject({ breakerEvents: { snapshot: true } });
  expect(await answered).toBeGreaterThanOrEqual(0);
  link.close();
  expect(await closed).toBe(1000);
});

test('a gateway of another version is told apart from one that does not work', async () => {
  await using service = await startService();
  const { link, opened } = dial(service.port, null);
  await opened;
  expect(await firstOf(link, GatewayFacts)).toEqual({
    code: 'PERSISTED_DOCUMENT_NOT_FOUND',
    message: 'This page is of another version than the gateway that answers now. Load it again.',
  });
  link.close();
});

test('a gateway that asks for a key closes with 4401 without one, and takes one that works until it ends', async () => {
  await using service = await startService({ persisted: () => persisted, auth: 'keys' });
  expect(await dial(service.port, null).closed).toBe(4401);
  expect(await dial(service.port, 'Bearer sk-wrong').closed).toBe(4401);
  const { link, opened, closed } = dial(service.port, `Bearer ${service.gateway.credentials.give({ id: KEY_A })}`);
  await opened;
  expect(await firstOf(link, GatewayFacts)).toMatchObject({ viewer: { scopes: expect.any(Array) } });
  service.gateway.credentials.end(KEY_A);
  expect(await closed).toBe(4403);
});

test('nobody there, and somebody who never answers a ping, are both the end of the connection', async () => {
  const silent = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(silent, 'listening');
  const address = silent.address();
  if (typeof address !== 'object' || address === null) throw new RangeError('no port');
  silent.on('connection', (socket) => {
    socket.once('message', () => socket.send(JSON.stringify({ type: 'connection_ack' })));
  });
  // The time that an answer may take is over at once.
  const waiting = dial(address.port, null, (_ms, act) => {
    act();
    return () => {};
  });
  await waiting.opened;
  const lost = Promise.withResolvers<void>();
  const nothing = () => {};
  waiting.link.run(GatewayFacts, {}, { data: nothing, failed: nothing, ended: nothing, lost: lost.resolve });
  expect(await waiting.closed).toBe(4499);
  await lost.promise;
  for (const socket of silent.clients) socket.terminate();
  silent.close();
  await once(silent, 'close');
  expect(await dial(address.port, null).closed).toBe(1006);
});
