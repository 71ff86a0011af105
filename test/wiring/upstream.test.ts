import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Failure } from '../../src/core/failure.ts';
import { standingOf } from '../../src/core/verdict.ts';
import { openUpstream } from '../../src/wiring/upstream.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { callOf, makeProvider, openUpstream as openServer, sendJson } from '../providers/upstream.ts';
import { ANSWERS } from '../providers/wire.ts';

const NEVER = new AbortController().signal;
/** How long a connection of the fill may take before the queue counts as full. */
const FULL_MS = 300;
const FILL_MAX = 64;

const OPEN = { gate: () => null, log: SILENT_LOG };

async function failureAt(url: string, parts: { readonly connectMs?: number } = {}): Promise<Failure> {
  await using network = await openUpstream({ ...OPEN, ...parts });
  const provider = await makeProvider('openai', url, { fetch: network.fetch });
  const result = await provider.call(callOf('openai'), NEVER);
  if (result.kind === 'answered') throw new Error('it answered');
  return result.failure;
}

/** A process that listens and never accepts, with its queue full: who connects now gets no answer at all. */
async function openDeaf() {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  const waiting: Socket[] = [];
  for (let isFull = false; !isFull; ) {
    if (waiting.length === FILL_MAX) throw new Error('the queue takes every connection');
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    waiting.push(socket);
    isFull = await once(socket, 'connect', { signal: AbortSignal.timeout(FULL_MS) }).then(
      () => false,
      () => true,
    );
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy();
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('a provider that does not take the connection is given up after two seconds: nothing was billed, and the breaker counts it', async () => {
  await using deaf = await openDeaf();
  const startedAtMs = performance.now();
  const failure = await failureAt(deaf.url);
  const tookMs = performance.now() - startedAtMs;
  expect(failure).toMatchObject({ kind: 'networkError', billed: 'nothing', httpStatus: null, isSimulated: false });
  expect(failure.message).toMatch(/^No connection: .*timeout/i);
  expect(standingOf(failure).verdict.kind).toBe('failure');
  expect(tookMs).toBeGreaterThan(1_900);
  // The timer looks twice a second; the rest is for machines that are busy.
  expect(tookMs).toBeLessThan(7_000);
});

test('a provider that takes the connection but never speaks TLS is given up in the same way', async () => {
  const sockets = new Set<Socket>();
  await using server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  expect(await failureAt(`https://127.0.0.1:${port}`, { connectMs: 200 })).toMatchObject({
    kind: 'networkError',
    billed: 'nothing',
  });
  for (const socket of sockets) socket.destroy();
});

test('an answer may take longer than connecting may: only the attempt itself has a limit for that', async () => {
  await using deaf = await openDeaf();
  const connectMs = 200;
  const late = Promise.withResolvers<void>();
  await using server = await openServer((response) => {
    void late.promise.then(() => sendJson(response, ANSWERS.openai));
  });
  await using network = await openUpstream({ ...OPEN, connectMs });
  const provider = await makeProvider('openai', server.url, { fetch: network.fetch });
  const answer = provider.call(callOf('openai'), NEVER);
  await failureAt(deaf.url, { connectMs });
  late.resolve();
  expect((await answer).kind).toBe('answered');
});

test('connections are used again, and closed when the service is done with them', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => sendJson(response, ANSWERS.openai));
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const network = await openUpstream(OPEN);
  const provider = await makeProvider('openai', `http://127.0.0.1:${port}`, { fetch: network.fetch });
  for (let sent = 0; sent < 10; sent += 1) {
    expect((await provider.call(callOf('openai'), NEVER)).kind).toBe('answered');
  }
  // The second call may come while the first connection is still being tidied up.
  expect(sockets.size).toBeLessThanOrEqual(2);
  const closed = Promise.all([...sockets].map((socket) => once(socket, 'close')));
  await network[Symbol.asyncDispose]();
  await closed;
  await new Promise((resolve) => server.close(resolve));
});
