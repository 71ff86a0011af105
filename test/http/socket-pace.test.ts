import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ask, startService } from './running-server.ts';

const LONG =
  '{ __schema { types { name description fields { name description args { name description type { name } } type { name } } } } }';
const ASKED_COUNT = 1_000;
/** So that little is read at once. */
const PADDING = 'x'.repeat(10_000);

test('who does not read is not read from, and is answered all of it as soon as they do', async () => {
  await using service = await startService();
  const socket = new WebSocket(`ws://127.0.0.1:${service.port}/graphql`, 'graphql-transport-ws');
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await new Promise((resolve) => socket.once('message', resolve));
  const answered = new Set<string>();
  socket.on('message', (data) => answered.add(JSON.parse(String(data)).id));
  const bytes: unknown = Reflect.get(socket, '_socket');
  if (!(bytes instanceof Socket)) throw new TypeError('the client keeps its connection elsewhere');

  bytes.pause();
  for (let id = 0; id < ASKED_COUNT; id += 1) {
    socket.send(
      JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: LONG, extensions: { padding: PADDING } } }),
    );
  }
  // Others are served meanwhile, which gives the service all the time it would need.
  for (let turn = 0; turn < 50; turn += 1) expect((await ask(service, '{ __typename }')).status).toBe(200);
  const begun = service.log.filter(({ door }) => door === 'websocket').length;
  expect(begun).toBeLessThan(ASKED_COUNT / 2);
  bytes.resume();
  await expect.poll(() => answered.size, { timeout: 60_000 }).toBe(ASKED_COUNT);
  socket.close();
});
