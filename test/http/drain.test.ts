import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { answered } from '../fakes/gateway-data.ts';
import { raw } from './raw.ts';
import { ask, type Service, startService } from './running-server.ts';

const CHAT = 'mutation { chat(input: { prompt: "hi" }) { ... on ChatSuccess { content } } }';
const EVENTS = 'subscription { breakerEvents { id } }';

/** The next chat answers when the test says so, or when it is stopped. */
function holdChats({ gateway }: Service) {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let wasStopped = false;
  gateway.onChat = async (call) => {
    begun.resolve();
    call.signal.addEventListener('abort', () => {
      wasStopped = true;
      finish.resolve();
    });
    await finish.promise;
    return answered(call, gateway.now());
  };
  return {
    begun: begun.promise,
    finish: finish.resolve,
    wasStopped: () => wasStopped,
    // A test that fails must not wait for a chat that nobody ends.
    [Symbol.dispose]: finish.resolve,
  };
}

function connect(service: Service) {
  const closed = Promise.withResolvers<number>();
  const client = createClient({
    url: `ws://127.0.0.1:${service.port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    // Keeps the connection although nothing runs on it: only the server may close it.
    lazy: false,
    onNonLazyError: () => {},
    on: { closed: (event) => closed.resolve((event as { code: number }).code) },
  });
  return { client, closed: closed.promise };
}

/** The close code that a stream ends with. */
async function rest(results: AsyncIterableIterator<unknown>): Promise<number | 'done'> {
  try {
    for await (const _result of results);
    return 'done';
  } catch (error) {
    return (error as { code: number }).code;
  }
}

test('a server that is about to leave says so at /readyz, serves on, and lets each client go after its answer', async () => {
  await using service = await startService();
  const watching = connect(service);
  const events = watching.client.iterate({ query: EVENTS });
  await events.next();
  const ended = rest(events);
  using chats = holdChats(service);
  const running = ask(service, CHAT);
  await chats.begun;

  service.server.leave();
  const ready = await raw(service, { method: 'GET', path: '/readyz' });
  expect([ready.status, JSON.parse(ready.text).reasons]).toEqual([503, ['service: it is shutting down']]);
  chats.finish();
  const before = await running;
  const after = await ask(service, CHAT);
  for (const { data, headers } of [before, after]) {
    expect(data.chat.content).toBe('echo: hi');
    expect(headers.get('connection')).toBe('close');
  }
  // What goes on and on is not cut before the end, and new sockets are taken as well.
  const late = connect(service);
  expect((await late.client.iterate({ query: CHAT }).next()).value).toMatchObject({
    data: { chat: { content: 'echo: hi' } },
  });
  expect(service.gateway.watcherCount()).toBe(1);
  await service.server.drain(30_000);
  expect([await watching.closed, await late.closed, await ended]).toEqual([1001, 1001, 1001]);
});

test('the time that what runs has to finish can be cut short', async () => {
  await using service = await startService();
  using chats = holdChats(service);
  const overHttp = ask(service, CHAT);
  await chats.begun;
  const cut = new AbortController();
  const drained = service.server.drain(600_000, cut.signal);
  expect(chats.wasStopped()).toBe(false);
  cut.abort();
  await drained;
  expect(chats.wasStopped()).toBe(true);
  expect(service.gateway.records).toHaveLength(1);
  await overHttp.catch(() => 'the connection may be gone already');
});

test('what runs is finished, what is new is refused, and then the port is free', async () => {
  await using service = await startService();
  using chats = holdChats(service);
  const running = ask(service, CHAT);
  await chats.begun;

  const drained = service.server.drain(30_000);
  const refused = await raw(service, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: CHAT }),
  });
  expect(refused.status).toBe(503);
  expect(refused.headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
  expect(JSON.parse(refused.text).errors[0]).toEqual({
    message: 'This replica is shutting down. Send it again.',
    extensions: { code: 'SHUTTING_DOWN', retryable: true, retryAfterMs: 1_000 },
  });
  const ready = await raw(service, { method: 'GET', path: '/readyz' });
  expect([ready.status, JSON.parse(ready.text).reasons]).toEqual([503, ['service: it is shutting down']]);
  expect((await raw(service, { method: 'GET', path: '/livez' })).status).toBe(200);

  chats.finish();
  const { data, headers } = await running;
  expect(data.chat.content).toBe('echo: hi');
  expect(headers.get('connection')).toBe('close');
  await drained;
  expect(chats.wasStopped()).toBe(false);
  await expect(fetch(`${service.url}/livez`)).rejects.toThrow();
});

test('a socket with subscriptions alone is closed at once, one with a chat when that has ended', async () => {
  await using service = await startService();
  const watching = connect(service);
  const asking = connect(service);
  const events = watching.client.iterate({ query: EVENTS });
  await events.next();
  const ended = rest(events);
  using chats = holdChats(service);
  const chat = asking.client.iterate({ query: CHAT }).next();
  await chats.begun;

  const drained = service.server.drain(30_000);
  expect(await watching.closed).toBe(1001);
  expect(await ended).toBe(1001);
  await expect.poll(() => service.gateway.watcherCount()).toBe(0);
  const refused = await asking.client
    .iterate({ query: '{ __typename }' })
    .next()
    .catch((errors: unknown) => errors);
  expect(refused).toMatchObject([{ extensions: { code: 'SHUTTING_DOWN' } }]);
  chats.finish();
  expect((await chat).value).toMatchObject({ data: { chat: { content: 'echo: hi' } } });
  expect(await asking.closed).toBe(1001);
  await drained;
});

test('a stream of events is cut, so that its client comes back elsewhere', async () => {
  await using service = await startService();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: EVENTS }),
  });
  const reader = response.body!.getReader();
  await reader.read();
  const rest = (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read());
  })();
  const drained = service.server.drain(30_000);
  await expect(rest).rejects.toThrow(/terminated/);
  await drained;
  expect(service.gateway.watcherCount()).toBe(0);
});

test('what outlasts the grace time is told that its caller is gone, and may still settle', async () => {
  await using service = await startService();
  using chats = holdChats(service);
  const overHttp = ask(service, CHAT);
  await chats.begun;
  await service.server.drain(0);
  expect(chats.wasStopped()).toBe(true);
  expect(service.gateway.records).toHaveLength(1);
  await overHttp.catch(() => 'the connection may be gone already');
});

test('a chat whose caller left is waited for like any other', async () => {
  await using service = await startService();
  const settled = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  service.gateway.onChat = async (call) => {
    call.signal.addEventListener('abort', () => left.resolve());
    begun.resolve();
    await settled.promise;
    return answered(call, service.gateway.now());
  };
  const caller = new AbortController();
  const running = ask(service, CHAT, {}, { signal: caller.signal }).catch(() => 'left');
  await begun.promise;
  caller.abort();
  expect(await running).toBe('left');
  await left.promise;
  const drained = service.server.drain(30_000);
  expect(service.gateway.records).toEqual([]);
  settled.resolve();
  await drained;
  expect(service.gateway.records).toHaveLength(1);
  // Nobody was told a status.
  expect(service.log).toContainEqual(expect.objectContaining({ msg: 'operation', status: 0 }));
});

test('asked twice, it is done once', async () => {
  await using service = await startService();
  await Promise.all([service.server.drain(0), service.server.drain(0)]);
});
