import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

// What `docker compose --profile scale up` starts, without containers: three replicas on one PostgreSQL, and a real HAProxy
// with our file before them. Only the addresses are others.

const CONFIG = join(import.meta.dirname, '../../deploy/proxy/haproxy.cfg');
const ADMIN_KEY = '6f1c9a0be77d4c52a8e3f94b1d06c7a5';
const AUTHORIZATION = `Bearer ${ADMIN_KEY}`;
const START_MS = 120_000;

const stack = new AsyncDisposableStack();
let folder = '';
let url = '';
let env: Readonly<Record<string, string>> = {};
let replicas: Service[] = [];

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('a port was asked for');
  return address.port;
}

/** Our file, whose names of containers are replaced by ports of this machine. */
function withAddresses(text: string, of: { readonly port: number; readonly replicaPorts: readonly number[] }): string {
  const servers = of.replicaPorts.map((port, place) => `  server replica${place} 127.0.0.1:${port}`).join('\n');
  return text.replace('bind :4000', `bind 127.0.0.1:${of.port}`).replace(/^ {2}server-template .*$/m, servers);
}

async function startProxy(file: string) {
  const child = spawn('haproxy', ['-f', file], { stdio: 'ignore' });
  const [code] = await Promise.race([
    once(child, 'spawn').then(() => [null]),
    once(child, 'error').then(([error]) => [error]),
  ]);
  if (code !== null) throw new Error(`There is no haproxy in PATH: apt-get install haproxy. ${code}`);
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    },
  };
}

/** The replicas whose turn it is answer by these ports, also when they start again. */
const startReplica = async (port: number) => stack.use(await startService({ ...env, PORT: String(port) }));

async function ask(query: string, accept = 'application/json'): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: AUTHORIZATION, accept },
    body: JSON.stringify({ query }),
  });
}

const CHAT = 'mutation { chat(input: {prompt: "hello", userId: "ann"}) { __typename } }';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-proxy-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const database = stack.use(await makeDatabase());
  env = {
    DATABASE_URL: database.url,
    AUTH: 'keys',
    ADMIN_KEY,
    DRAIN_WAIT_MS: '4000',
    MOCK_LATENCY_SCALE: '0.2',
    BUDGET_DEFAULT_USD: '100',
    SWITCHYARD_CONFIG: join(folder, 'registry.yaml'),
  };
  await writeFile(env.SWITCHYARD_CONFIG ?? '', await registryWithoutLimits());
  const [port = 0, ...replicaPorts] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const first = await startReplica(replicaPorts[0] ?? 0);
  replicas = [first, ...(await Promise.all(replicaPorts.slice(1).map(startReplica)))];
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, withAddresses(await readFile(CONFIG, 'utf8'), { port, replicaPorts }));
  stack.use(await startProxy(file));
  url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await ask('{ __typename }').catch(() => null))?.status === 200);
}, START_MS);

afterAll(() => stack.disposeAsync());

/** The default registry with room for everything that is sent here. */
async function registryWithoutLimits(): Promise<string> {
  const path = join(import.meta.dirname, '../../src/registry/default.yaml');
  return (await readFile(path, 'utf8')).replaceAll(/requestsPerMinute: \d+/g, 'requestsPerMinute: 10000');
}

test('replicas behind the proxy are one service', async () => {
  const told = async () => JSON.stringify(await (await ask('{ gateway { replicas } }')).json());
  // Each hears of the others by their heartbeats.
  await eventually(async () => (await told()).includes('"replicas":3'));
});

test(
  'one of them is replaced without one failed chat',
  async () => {
    const answers: unknown[] = [];
    let isDone = false;
    const chat = async () => {
      while (!isDone) answers.push((await ask(CHAT).then((answer) => answer.json(), String)).data ?? 'nothing');
    };
    const running = Promise.all([chat(), chat(), chat()]);
    const [oldest] = replicas;
    if (oldest === undefined) throw new RangeError('there are three');
    const { port } = new URL(oldest.url);
    await eventually(() => answers.length > 10);
    expect(await oldest.end('SIGTERM')).toBe(0);
    const next = await startReplica(Number(port));
    await eventually(() => JSON.stringify(next.logged()).includes('"req_'));
    isDone = true;
    await running;
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify({ chat: { __typename: 'ChatSuccess' } })]),
    );
  },
  START_MS,
);

test('a stream comes piece by piece, and not when it is whole', async () => {
  const query = 'subscription { breakerEvents { provider { key } snapshot } }';
  const answer = await ask(query, 'text/event-stream');
  let text = '';
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.includes('"snapshot":true')) break;
  }
  expect(text).toContain('"snapshot":true');
});

test(
  'live events come over WebSocket',
  async () => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: AUTHORIZATION },
      retryAttempts: 0,
    });
    const events = client.iterate({ query: 'subscription { analyticsTicks { inFlight } }' });
    expect((await events.next()).value).toMatchObject({ data: { analyticsTicks: { inFlight: 0 } } });
    await events.return?.();
    await client.dispose();
  },
  START_MS,
);

test('meters of one replica are not told in the name of all', async () => {
  expect((await fetch(`${url}/metrics`, { headers: { authorization: AUTHORIZATION } })).status).toBe(404);
});

test('a body that comes slowly waits at the proxy, and is nobody’s work', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: ${AUTHORIZATION}\r\ncontent-type: application/json`;
  socket.write(`${head}\r\ncontent-length: 1000\r\n\r\n{"query":`);
  // A chat of somebody else, sent after it, is through before anything of it reaches a replica.
  expect(await (await ask(CHAT)).json()).toMatchObject({ data: { chat: { __typename: 'ChatSuccess' } } });
  socket.destroy();
});
