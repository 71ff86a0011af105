import { createClient as createSseClient } from 'graphql-sse';
import { type Client, createClient, type ExecutionResult } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { answered } from '../fakes/gateway-data.ts';
import { type Service, startService } from './running-server.ts';

const EVENTS = `subscription Events($providerId: ID, $after: ID, $includeCurrent: Boolean) {
  breakerEvents(providerId: $providerId, after: $after, includeCurrent: $includeCurrent) {
    id provider { key health } from to cause epoch message consecutiveFailures nextProbeAt occurredAt replicaId snapshot dropped } }`;

const CHAT =
  'mutation Ask($input: ChatInput!) { chat(input: $input) { ... on ChatSuccess { content request { id } } } }';

type Result = ExecutionResult<Record<string, { readonly id: string }>, Record<string, { readonly requestId: string }>>;

function connect({ port }: Service, options: { readonly retryAttempts?: number } = {}): Client & AsyncDisposable {
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...options,
  });
  return { ...client, [Symbol.asyncDispose]: async () => void (await client.dispose()) };
}

async function take(results: AsyncIterator<unknown>, count: number): Promise<readonly Result[]> {
  const taken: Result[] = [];
  while (taken.length < count) taken.push((await results.next()).value as Result);
  return taken;
}

function eventsOf(results: readonly Result[]): readonly unknown[] {
  return results.map((result) => result.data?.breakerEvents);
}

test('a watcher is told the present state of each breaker first, then every change', async () => {
  await using service = await startService();
  await using client = connect(service);
  const results = client.iterate({ query: EVENTS });
  expect(eventsOf(await take(results, 2))).toMatchObject([
    {
      id: 'bev_000000000000_openai',
      provider: { key: 'openai', health: 'HEALTHY' },
      from: null,
      to: 'CLOSED',
      cause: 'SNAPSHOT',
      epoch: 0,
      message: 'closed',
      snapshot: true,
      dropped: 0,
      replicaId: 'replica-1',
    },
    { id: 'bev_000000000000_google', snapshot: true },
  ]);
  service.gateway.setState('google', { isEnabled: false });
  service.gateway.change('google', {});
  expect(eventsOf(await take(results, 1))).toEqual([
    {
      id: 'bev_000000000001',
      // As it is now, not as it was when the subscription began.
      provider: { key: 'google', health: 'DISABLED' },
      from: 'CLOSED',
      to: 'OPEN',
      cause: 'FAILURE_THRESHOLD',
      epoch: 1,
      message: 'opened after 3 failures in a row',
      consecutiveFailures: 3,
      nextProbeAt: '2026-01-01T00:01:00.000Z',
      occurredAt: '2026-01-01T00:00:00.000Z',
      replicaId: 'replica-2',
      snapshot: false,
      dropped: 0,
    },
  ]);
});

test('a watcher who comes back with the last id, of an event or of a snapshot, misses nothing', async () => {
  await using service = await startService();
  await using client = connect(service);
  for (let count = 0; count < 3; count += 1) service.gateway.change('openai', {});
  for (const after of ['bev_000000000001', 'bev_000000000001_google']) {
    const results = client.iterate({ query: EVENTS, variables: { after } });
    expect(eventsOf(await take(results, 2))).toMatchObject([{ id: 'bev_000000000002' }, { id: 'bev_000000000003' }]);
    await results.return?.();
  }
});

test('only one provider can be watched, without its present state', async () => {
  await using service = await startService();
  await using client = connect(service);
  const results = client.iterate({ query: EVENTS, variables: { providerId: 'prov_google', includeCurrent: false } });
  const first = take(results, 1);
  await expect.poll(() => service.gateway.watcherCount()).toBe(1);
  service.gateway.change('openai', {});
  service.gateway.change('google', {});
  expect(eventsOf(await first)).toMatchObject([{ id: 'bev_000000000002', provider: { key: 'google' } }]);
});

test.each([
  [{ after: 'bev_000000000009' }, 'INVALID_INPUT', /no event has that id/],
  [{ after: 'yesterday' }, 'INVALID_INPUT', /must be the id of an event/],
  [{ providerId: 'nobody' }, 'NOT_FOUND', /No provider is called "nobody". There are openai, google/],
])('%j is refused with a code', async (variables, code, message) => {
  await using service = await startService();
  await using client = connect(service);
  const [result] = await take(client.iterate({ query: EVENTS, variables }), 1);
  expect(result?.errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code } }]);
});

test('one watcher too many is told so', async () => {
  await using service = await startService();
  await using client = connect(service);
  for (let count = 0; count < 3; count += 1) await take(client.iterate({ query: EVENTS }), 1);
  const [result] = await take(client.iterate({ query: EVENTS }), 1);
  expect(result?.errors).toMatchObject([{ extensions: { code: 'TOO_MANY_WATCHERS' } }]);
});

test('a watcher who leaves is forgotten at once, with their wish or with their connection', async () => {
  await using service = await startService();
  await using client = connect(service);
  const results = client.iterate({ query: EVENTS });
  await take(results, 2);
  expect(service.gateway.watcherCount()).toBe(1);
  await results.return?.();
  await expect.poll(() => service.gateway.watcherCount()).toBe(0);

  await using second = connect(service);
  await take(second.iterate({ query: EVENTS }), 2);
  expect(service.gateway.watcherCount()).toBe(1);
  second.terminate();
  await expect.poll(() => service.gateway.watcherCount()).toBe(0);
  await expect
    .poll(() => service.log.filter((line) => line.door === 'websocket'))
    .toMatchObject([
      { operation: 'Events', kind: 'subscription', status: 'stopped', errors: 0 },
      { operation: 'Events', kind: 'subscription', status: 'stopped', errors: 0 },
    ]);
});

test('a chat over the socket has a request id of its own, and is stopped by its caller leaving', async () => {
  await using service = await startService();
  await using client = connect(service);
  const [first] = await take(client.iterate({ query: CHAT, variables: { input: { prompt: 'hi' } } }), 1);
  const [second] = await take(client.iterate({ query: CHAT, variables: { input: { prompt: 'ho' } } }), 1);
  const ids = [first, second].map((result) => result?.extensions?.gateway?.requestId);
  expect(service.gateway.records.map((record) => `req_${record.id}`)).toEqual(ids);
  expect(new Set(ids).size).toBe(2);

  const left = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  service.gateway.onChat = async (call) => {
    call.signal.addEventListener('abort', () => left.resolve());
    begun.resolve();
    await left.promise;
    return answered(call, service.gateway.now());
  };
  const stopped = client.iterate({ query: CHAT, variables: { input: { prompt: 'long' } } });
  const result = stopped.next();
  await begun.promise;
  await stopped.return?.();
  await left.promise;
  await result;
});

test('the rules hold on the socket too', async () => {
  await using service = await startService();
  await using client = connect(service);
  const chats = Array.from(
    { length: 14 },
    (_, index) => `c${index}: chat(input: { prompt: "hi" }) { __typename }`,
  ).join(' ');
  for (const query of [`mutation { ${chats} }`, `mutation { ...F } fragment F on Mutation { ${chats} }`]) {
    const refused = await client
      .iterate({ query })
      .next()
      .catch((errors: unknown) => errors);
    expect(refused).toMatchObject([{ extensions: { code: 'TOO_MANY_PAID_MUTATIONS' } }]);
    expect(JSON.stringify(refused)).not.toContain('"http"');
  }
  const unread = await client
    .iterate({ query: '{' })
    .next()
    .catch((errors: unknown) => errors);
  expect(unread).toMatchObject([{ message: expect.stringContaining('Syntax Error') }]);
  expect(service.gateway.records).toEqual([]);
});

test('a bug is masked on the socket as it is over HTTP', async () => {
  await using service = await startService();
  await using client = connect(service);
  service.gateway.onSurvey = () => {
    throw new TypeError('a secret');
  };
  const [result] = await take(client.iterate({ query: '{ providers { health } }' }), 1);
  const requestId = result?.extensions?.gateway?.requestId;
  expect(result?.errors).toMatchObject([{ message: 'Unexpected error.', extensions: { code: 'INTERNAL', requestId } }]);
  expect(service.log.find((line) => line.level === 'error')).toMatchObject({ requestId, error: 'a secret' });
});

test('a stream that breaks off with a bug ends with a masked error, at both transports', async () => {
  await using service = await startService();
  await using client = connect(service);
  const sse = createSseClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const streams = [client.iterate({ query: EVENTS }), sse.iterate({ query: EVENTS })];
  for (const results of streams) await take(results, 2);
  service.gateway.breakWatchers(new TypeError('a secret'));
  for (const results of streams) {
    const [last] = await take(results, 1);
    expect(last?.errors).toMatchObject([{ message: 'Unexpected error.', extensions: { code: 'INTERNAL' } }]);
    expect((await results.next()).done).toBe(true);
  }
  expect(service.log.filter((line) => line.error?.toString().includes('a secret'))).toHaveLength(2);
  sse.dispose();
});

test('a message over a megabyte ends the connection, and nothing else', async () => {
  await using service = await startService();
  const socket = new WebSocket(`ws://127.0.0.1:${service.port}/graphql`, 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.once('open', () => socket.send('x'.repeat(1_000_001)));
  expect(await closed).toBe(1009);
  await using client = connect(service);
  expect((await take(client.iterate({ query: '{ __typename }' }), 1))[0]?.data).toEqual({ __typename: 'Query' });
});

test('pages of other origins, other paths and other protocols are turned away', async () => {
  await using service = await startService();
  const statusOf = (path: string, options: object) =>
    new Promise<number | undefined>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${service.port}${path}`, 'graphql-transport-ws', options);
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('open', () => resolve(101));
      socket.on('error', () => {});
    });
  expect(await statusOf('/graphql', { origin: 'https://evil.example' })).toBe(403);
  expect(await statusOf('/graphql', { origin: `http://127.0.0.1:${service.port}` })).toBe(101);
  expect(await statusOf('/elsewhere', {})).toBe(404);
  const old = new WebSocket(`ws://127.0.0.1:${service.port}/graphql`, 'graphql-ws');
  old.on('error', () => {});
  expect(await new Promise((resolve) => old.once('close', resolve))).not.toBe(1000);
});

test('server-sent events carry the same stream', async () => {
  await using service = await startService();
  const client = createSseClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const results = client.iterate({ query: EVENTS });
  expect(eventsOf(await take(results, 2))).toMatchObject([{ snapshot: true }, { snapshot: true }]);
  service.gateway.change('openai', {});
  const [event] = await take(results, 1);
  expect(event?.data).toMatchObject({ breakerEvents: { id: 'bev_000000000001' } });
  expect(event?.extensions?.gateway?.requestId).toMatch(/^req_/);
  await results.return?.();
  await expect.poll(() => service.gateway.watcherCount()).toBe(0);
  client.dispose();
});
