import { Socket } from 'node:net';
import { type Client, createClient, type ExecutionResult } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { KEY_A, KEY_B } from '../fakes/credentials.ts';
import { answered } from '../fakes/gateway-data.ts';
import { type Service, startService } from './running-server.ts';

const VIEWER = '{ viewer { scopes } }';
const EVENTS = 'subscription { breakerEvents { id } }';
const INIT = { type: 'connection_init' };

const closed = (over = {}) => startService({ auth: 'keys', isGraphiqlOn: false, ...over });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

function clientOf(
  service: Service,
  connectionParams: Record<string, unknown> | (() => Record<string, unknown>),
  retryAttempts = 0,
) {
  const client = createClient({
    url: `ws://127.0.0.1:${service.port}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts,
    retryWait: async () => {},
  });
  return { ...client, [Symbol.asyncDispose]: async () => void (await client.dispose()) };
}

const first = async (client: Client, query: string) =>
  (await client.iterate({ query }).next()).value as ExecutionResult<Record<string, unknown>>;

/** A connection without a client's help. */
async function bareSocket(
  service: Service,
  options: { readonly headers?: Record<string, string>; readonly origin?: string } = {},
) {
  const socket = new WebSocket(`ws://127.0.0.1:${service.port}/graphql`, 'graphql-transport-ws', options);
  const closing = new Promise<readonly [number, string]>((resolve) =>
    socket.once('close', (code, reason) => resolve([code, String(reason)])),
  );
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  const next = () => new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))));
  return {
    socket,
    closing,
    next,
    send: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
  };
}

test('a connection is let in by its parameters, in either spelling, or by the header of its first request', async () => {
  await using service = await closed();
  const secret = service.gateway.credentials.give({ id: KEY_A, scopes: ['chat'] });
  for (const name of ['Authorization', 'authorization']) {
    await using client = clientOf(service, { [name]: `Bearer ${secret}` });
    expect((await first(client, VIEWER)).data).toBeTruthy();
  }
  const { send, next, socket } = await bareSocket(service, { headers: bearer(secret) });
  send(INIT);
  expect(await next()).toMatchObject({ type: 'connection_ack' });
  send({ id: '1', type: 'subscribe', payload: { query: VIEWER } });
  expect(await next()).toMatchObject({ type: 'next', payload: { data: { viewer: {} } } });
  socket.close();
});

test('one without a credential, or with a wrong one, is closed for good: clients do not come back with the same', async () => {
  await using service = await closed();
  for (const params of [{}, { authorization: 'Bearer sy_wrong' }, { authorization: 7 }]) {
    await using client = clientOf(service, params, 3);
    await expect(first(client, VIEWER)).rejects.toMatchObject({ code: 4401, reason: 'Unauthorized' });
  }
  const eager = await bareSocket(service);
  eager.send({ id: '1', type: 'subscribe', payload: { query: VIEWER } });
  expect((await eager.closing)[0]).toBe(4401);
  expect(service.log.filter((line) => line.door === 'websocket')).toEqual([]);
});

test('while nobody can tell who connects, clients come again until somebody can', async () => {
  await using service = await closed();
  const { credentials } = service.gateway;
  const secret = credentials.give({ id: KEY_A });
  credentials.fault = new StoreUnavailable('away');
  const tried = await bareSocket(service);
  tried.send({ ...INIT, payload: bearer(secret) });
  expect(await tried.closing).toEqual([1013, 'Try again later']);
  let attempts = 0;
  await using client = clientOf(
    service,
    () => {
      attempts += 1;
      if (attempts === 2) credentials.fault = null;
      return bearer(secret);
    },
    5,
  );
  expect((await first(client, VIEWER)).data).toBeTruthy();
});

test('64 kB in all are taken from somebody unknown, 256 kB in a message from somebody known', async () => {
  await using service = await closed();
  const secret = service.gateway.credentials.give({ id: KEY_A });
  const unknown = await bareSocket(service);
  unknown.send({ ...INIT, payload: { padding: 'x'.repeat(66_000) } });
  expect((await unknown.closing)[0]).toBe(1009);
  const patient = await bareSocket(service);
  for (let count = 0; count < 40; count += 1) patient.send({ type: 'ping', payload: { padding: 'x'.repeat(2_000) } });
  expect((await patient.closing)[0]).toBe(1009);

  const known = await bareSocket(service);
  known.send({ ...INIT, payload: bearer(secret) });
  expect(await known.next()).toMatchObject({ type: 'connection_ack' });
  const prompt = (length: number) => ({
    id: '1',
    type: 'subscribe',
    payload: { query: '{ __typename }', extensions: { padding: 'x'.repeat(length) } },
  });
  known.send(prompt(250_000));
  expect(await known.next()).toMatchObject({ type: 'next' });
  known.send(prompt(262_144));
  expect((await known.closing)[0]).toBe(1009);
});

test('nothing is compressed, though a client offers it', async () => {
  await using service = await startService();
  const { socket } = await bareSocket(service);
  expect(socket.extensions).toBe('');
  socket.close();
});

test('a line of keys has so many connections and no more, and one that it closes makes room', async () => {
  await using service = await closed({ socketsPerKey: 2 });
  const { credentials } = service.gateway;
  const old = credentials.give({ id: KEY_A });
  const rotated = credentials.give({ id: KEY_B, line: KEY_A });
  const enter = async (secret: string) => {
    const opened = await bareSocket(service);
    opened.send({ ...INIT, payload: bearer(secret) });
    return { ...opened, answer: await Promise.race([opened.next(), opened.closing]) };
  };
  const held = await enter(old);
  expect([held.answer, (await enter(rotated)).answer]).toEqual([
    { type: 'connection_ack' },
    { type: 'connection_ack' },
  ]);
  expect((await enter(old)).answer).toEqual([1013, 'Too many connections with this key']);
  held.socket.close();
  await expect.poll(async () => (await enter(old)).answer).toEqual({ type: 'connection_ack' });
});

test('when a key ends, its connections end at once, with what runs on them, and nobody else is touched', async () => {
  await using service = await closed();
  const { credentials } = service.gateway;
  const secrets = [credentials.give({ id: KEY_A }), credentials.give({ id: KEY_B })];
  await using other = clientOf(service, bearer(secrets[1]!));
  const watched = other.iterate({ query: EVENTS });
  await watched.next();

  const left = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  service.gateway.onChat = async (call) => {
    call.signal.addEventListener('abort', () => left.resolve());
    begun.resolve();
    await left.promise;
    return answered(call, service.gateway.now());
  };
  const live = await bareSocket(service);
  live.send({ ...INIT, payload: bearer(secrets[0]!) });
  await live.next();
  live.send({ id: '1', type: 'subscribe', payload: { query: EVENTS } });
  await live.next();
  live.send({
    id: '2',
    type: 'subscribe',
    payload: { query: 'mutation { chat(input: { prompt: "long" }) { __typename } }' },
  });
  await begun.promise;
  credentials.end(KEY_A);
  live.send({ id: '3', type: 'subscribe', payload: { query: VIEWER } });
  expect(await live.closing).toEqual([4403, 'Forbidden']);
  await left.promise;
  await expect.poll(() => service.gateway.watcherCount()).toBe(1);
  expect(service.log.filter((line) => line.kind === 'query')).toEqual([]);

  service.gateway.change('openai', {});
  let told = await watched.next();
  while (JSON.stringify(told.value).includes('_openai') || JSON.stringify(told.value).includes('_google'))
    told = await watched.next();
  expect(told.value).toMatchObject({ data: { breakerEvents: { id: 'bev_000000000001' } } });
});

test('a client whose key was rotated comes back with the next one', async () => {
  await using service = await closed();
  const { credentials } = service.gateway;
  let secret = credentials.give({ id: KEY_A });
  await using client = clientOf(service, () => bearer(secret), 3);
  const watched = client.iterate({ query: EVENTS });
  await watched.next();
  secret = credentials.give({ id: KEY_B, line: KEY_A });
  credentials.end(KEY_A);
  for (let count = 0; count < 3; count += 1)
    expect((await watched.next()).value).toHaveProperty('data.breakerEvents.id');
});

test.each([
  ['a query', VIEWER],
  ['a subscription', EVENTS],
])('%s that is taken back in the same packet leaves its place', async (_what, query) => {
  await using service = await startService();
  const { socket, send, next } = await bareSocket(service);
  send(INIT);
  expect(await next()).toMatchObject({ type: 'connection_ack' });
  const ask = (id: string, text: string) => send({ id, type: 'subscribe', payload: { query: text } });
  for (let count = 0; count < 51; count += 1) {
    inOnePacket(socket, () => {
      ask(`${count}`, query);
      send({ id: `${count}`, type: 'complete' });
    });
  }
  const ended = () => service.log.filter(({ msg }) => msg === 'operation').length;
  await expect.poll(ended, { timeout: 10_000 }).toBe(51);
  ask('last', VIEWER);
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data)));
  await expect.poll(() => heard.find((text) => text.includes('"last"'))).toMatch(/"type":"next".*"viewer"/);
  socket.close();
});

/** The client has no other way to it. */
function inOnePacket(socket: WebSocket, write: () => void): void {
  const bytes: unknown = Reflect.get(socket, '_socket');
  if (!(bytes instanceof Socket)) throw new TypeError('the client keeps its connection elsewhere');
  bytes.cork();
  write();
  bytes.uncork();
}
