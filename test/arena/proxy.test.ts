import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultProxy, openProxy } from '../../arena/support/proxy.ts';
import { eventually } from '../support/eventually.ts';

let stack: AsyncDisposableStack;
let proxy: FaultProxy;
let accepted = 0;

/** A server that sends everything back. */
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  accepted = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  proxy = stack.use(await openProxy(() => (typeof address === 'object' && address !== null ? address.port : 0)));
});

afterEach(() => stack.disposeAsync());

async function dial(): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  stack.defer(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** However it came to that. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let got = '';
  while (got.length < text.length) got += String((await once(socket, 'data'))[0]);
  return got;
}

test('passes everything on while nothing is wrong', async () => {
  const long = 'x'.repeat(300_000);
  expect(await echo(await dial(), long)).toBe(long);
});

test('delays each direction by its latency', async () => {
  const socket = await dial();
  await echo(socket, 'ready');
  proxy.set({ kind: 'latency', ms: 40 });
  const fromMs = performance.now();
  await echo(socket, 'slow');
  // Timers may fire a millisecond early.
  expect(performance.now() - fromMs).toBeGreaterThanOrEqual(78);
});

test('resets what is open and refuses what is new, until it is told otherwise', async () => {
  const socket = await dial();
  await echo(socket, 'ready');
  proxy.set({ kind: 'refuse' });
  await closed(socket);
  const refused = connect({ port: proxy.port, host: '127.0.0.1' });
  const [error] = await once(refused, 'error');
  expect(error.code).toBe('ECONNRESET');
  proxy.set({ kind: 'none' });
  expect(await echo(await dial(), 'again')).toBe('again');
});

test('a black hole takes new connections that lead nowhere, and resets at its end whatever it swallowed', async () => {
  const busy = await dial();
  const idle = await dial();
  await echo(busy, 'ready');
  await echo(idle, 'ready');
  proxy.set({ kind: 'blackHole' });
  const lost = await dial();
  busy.write('swallowed');
  lost.write('swallowed too');
  await eventually(() => proxy.swallowedBytes === 'swallowed'.length + 'swallowed too'.length);
  expect(accepted).toBe(2);
  proxy.set({ kind: 'none' });
  await Promise.all([closed(busy), closed(lost)]);
  expect(await echo(idle, 'still here')).toBe('still here');
});

test('a stall delivers at its end what waited', async () => {
  const socket = await dial();
  await echo(socket, 'ready');
  proxy.set({ kind: 'stall' });
  socket.write('later');
  const late = await dial();
  expect(accepted).toBe(1);
  const got = once(socket, 'data');
  proxy.set({ kind: 'none' });
  expect(String((await got)[0])).toBe('later');
  expect(await echo(late, 'me too')).toBe('me too');
});

test('slices keep the order of bytes', async () => {
  const socket = await dial();
  proxy.set({ kind: 'slice', bytes: 3 });
  const text = 'the quick brown fox jumps over the lazy dog';
  expect(await echo(socket, text)).toBe(text);
});

test('one reset cuts what is open, and nothing that comes later', async () => {
  const socket = await dial();
  await echo(socket, 'ready');
  proxy.resetAll();
  await closed(socket);
  expect(proxy.connectionCount).toBe(0);
  expect(await echo(await dial(), 'fine')).toBe('fine');
});
