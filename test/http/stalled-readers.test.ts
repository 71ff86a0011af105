import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { requestId } from '../../src/core/ids.ts';
import { STALLED_MS } from '../../src/http/outgoing.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { answered, DECISION } from '../fakes/gateway-data.ts';
import { quiet } from '../support/gateway-kit.ts';
import { type Service, startService } from './running-server.ts';

/** More than the sockets between a server and a reader take. */
const LONG = 'x'.repeat(32_000_000);
const CHAT = 'mutation { chat(input: { prompt: "hi" }) { ... on ChatSuccess { content } } }';
const STREAM = 'subscription { chatStream(input: { prompt: "hi" }) { ... on ChatDelta { content } } }';
const ASKED = { messages: [{ role: 'user', content: 'hi' }] };

/** A reader that sends one request and takes nothing of its answer. */
function sendAndStall(service: Service, path: string, body: object): Promise<Socket> {
  const text = JSON.stringify(body);
  return new Promise((resolve) => {
    const socket = connect(service.port, '127.0.0.1', () => {
      socket.pause();
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
        () => resolve(socket),
      );
    });
    // A server that closes what is not read resets it.
    socket.on('error', () => undefined);
  });
}

function operationCount(service: Service): number {
  return service.log.filter(({ msg }) => msg === 'operation').length;
}

async function inFlightOf(service: Service): Promise<string | undefined> {
  const page = await (await fetch(`${service.url}/metrics`)).text();
  return /^switchyard_operations_in_flight (\d+)$/m.exec(page)?.[1];
}

test('who reads a stream over GraphQL too slowly is told what becomes of the request, which depends on its key', async () => {
  await using service = await startService();
  service.gateway.onStream = () => [{ kind: 'lost' }];
  const lost = async (input: string) => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: `subscription { chatStream(input: { ${input} }) { __typename } }` }),
    });
    return response.text();
  };
  const without = await lost('prompt: "hi"');
  expect(without).toContain('"STREAM_LOST"');
  expect(without).toContain('so it was stopped, unless it had ended');
  expect(await lost('prompt: "hi", idempotencyKey: "k"')).toContain('runs on: send chat with the same');
});

/** Lets a reader take so much, and no more. */
function take(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let taken = 0;
    const count = (chunk: Buffer) => {
      taken += chunk.length;
      if (taken < bytes) return;
      socket.off('data', count);
      socket.pause();
      resolve();
    };
    socket.on('data', count);
    socket.resume();
  });
}

test.each([
  ['over REST', '/v1/chat/completions', ASKED],
  ['over GraphQL', '/graphql', { query: CHAT }],
])('who takes some of a whole answer %s every minute gets all of it', async (_what, path, body) => {
  const clock = makeFakeClock();
  await using service = await startService({ clock });
  service.gateway.onChat = (call) => {
    const whole = answered(call, service.gateway.now());
    return { ...whole, answer: { ...whole.answer, text: LONG } };
  };
  const socket = await sendAndStall(service, path, body);
  // Each time less than a minute passes, and all times together more.
  for (let step = 1; step < 4; step += 1) {
    await take(socket, LONG.length / 4);
    for (let turn = 0; turn < 20; turn += 1) await quiet();
    clock.advance(STALLED_MS - 1);
  }
  // What was taken before may have been a little more each time.
  await take(socket, LONG.length / 4 - 1_000_000);
  socket.destroy();
});

test.each([
  ['a whole answer over REST', '/v1/chat/completions', ASKED],
  ['a stream over REST', '/v1/chat/completions', { ...ASKED, stream: true }],
  ['a whole answer over GraphQL', '/graphql', { query: CHAT }],
  ['a stream over GraphQL', '/graphql', { query: STREAM }],
])('who takes nothing of %s for a minute is left, and fills no place any more', async (_what, path, body) => {
  const clock = makeFakeClock();
  await using service = await startService({ clock });
  const asked = Promise.withResolvers<void>();
  service.gateway.onChat = (call) => {
    asked.resolve();
    const whole = answered(call, service.gateway.now());
    return { ...whole, answer: { ...whole.answer, text: LONG } };
  };
  service.gateway.onStream = function* ({ requestId: id }) {
    asked.resolve();
    yield { sequence: 0, event: { kind: 'started', requestId: requestId(id), routing: DECISION } };
    yield { sequence: 1, event: { kind: 'delta', delta: { kind: 'text', text: LONG } } };
  };
  const timersBefore = clock.timerCount();
  const socket = await sendAndStall(service, path, body);
  await asked.promise;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  while (clock.timerCount() === timersBefore) await quiet();
  // The last timer of all is that of the reader: streams have others before it.
  for (let turn = 0; turn < 20; turn += 1) await quiet();

  clock.advance(STALLED_MS - 1);
  await quiet();
  expect(operationCount(service)).toBe(0);
  clock.advance(1);
  while (operationCount(service) === 0) await quiet();
  expect(await inFlightOf(service)).toBe('0');
  expect(clock.timerCount()).toBe(timersBefore);
  socket.resume();
  await closed;
});
