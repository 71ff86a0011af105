import { createClient } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LOAD } from '../../src/core/load.ts';
import { type FakeClock, makeFakeClock } from '../fakes/clock.ts';
import { KEY_A, KEY_B } from '../fakes/credentials.ts';
import { answered } from '../fakes/gateway-data.ts';
import { bare, raw } from './raw.ts';
import { ask, type Service, startService } from './running-server.ts';

const CHAT = 'mutation { chat(input: { prompt: "hi" }) { ... on ChatSuccess { content } } }';
const READ = '{ gateway { version } }';
const EVENTS = 'subscription { breakerEvents { id } }';
const OVERLOADED = { code: 'OVERLOADED', retryable: true, retryAfterMs: 1_000 };

/** Fills places with chats that end when the test says so. */
async function fill(service: Service, count: number, options: Parameters<typeof ask>[3] = {}) {
  const finish = Promise.withResolvers<void>();
  const allBegun = Promise.withResolvers<void>();
  let begun = 0;
  service.gateway.onChat = async (call) => {
    begun += 1;
    if (begun >= count) allBegun.resolve();
    await finish.promise;
    return answered(call, service.gateway.now());
  };
  const chats = Array.from({ length: count }, () => ask(service, CHAT, {}, options));
  await allBegun.promise;
  return {
    /** Lets them end, and answers what their callers got. */
    async end() {
      finish.resolve();
      return Promise.all(chats);
    },
    [Symbol.dispose]: finish.resolve,
  };
}

/** As when each turn of the event loop takes so long. */
function slowDown(clock: FakeClock, latenessMs: number): void {
  for (let beat = 0; beat < LOAD.beats; beat += 1) {
    clock.stall(LOAD.beatMs + latenessMs);
    clock.advance(0);
  }
}

function catchUp(clock: FakeClock): void {
  for (let beat = 0; beat < LOAD.beats; beat += 1) clock.advance(LOAD.beatMs);
}

async function health(service: Service): Promise<readonly number[]> {
  const paths = ['/livez', '/readyz', '/'];
  return Promise.all(paths.map(async (path) => (await raw(service, { method: 'GET', path })).status));
}

async function metersOf(service: Service): Promise<Record<string, number>> {
  const { status, text } = await raw(service, { method: 'GET', path: '/metrics' });
  expect(status).toBe(200);
  const found = text.matchAll(/^switchyard_operations_(\w+) (\d+)$/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [name, Number(value)]));
}

/** What a WebSocket client is told instead of a result. */
async function errorOverSocket(service: Service, query: string): Promise<unknown> {
  const client = createClient({ url: `ws://127.0.0.1:${service.port}/graphql`, webSocketImpl: WebSocket });
  try {
    const { value } = await client.iterate({ query }).next();
    return value;
  } catch (errors) {
    return errors;
  } finally {
    await client.dispose();
  }
}

describe('with half of the places taken', () => {
  test('queries are sent away, at every transport, and chats are taken', async () => {
    await using service = await startService({ inFlightMax: 4 });
    using chats = await fill(service, 2);
    const refused = await ask(service, READ);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.errors).toMatchObject([{ message: expect.stringContaining('chats come first') }]);
    expect(refused.errors[0]?.extensions).toEqual(OVERLOADED);
    const byGet = await raw(service, { method: 'GET', path: `/graphql?query=${encodeURIComponent(READ)}` });
    expect([byGet.status, byGet.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(byGet.text).errors[0].extensions).toEqual(OVERLOADED);
    for (const query of [READ, EVENTS]) {
      expect(await errorOverSocket(service, query)).toMatchObject([{ extensions: OVERLOADED }]);
    }
    const stream = await raw(service, {
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: EVENTS }),
    });
    expect(stream.text).toContain('"OVERLOADED"');
    expect(service.gateway.watcherCount()).toBe(0);

    const third = ask(service, CHAT);
    await chats.end();
    expect((await third).data.chat.content).toBe('echo: hi');
    expect((await ask(service, READ)).status).toBe(200);
  });
});

describe('with all places taken', () => {
  test('chats are sent away too, what runs is not touched, and the next one is taken when one has ended', async () => {
    await using service = await startService({ inFlightMax: 2 });
    using chats = await fill(service, 2);
    const refused = await ask(service, CHAT);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.errors[0]).toEqual({
      message: 'This replica is too busy. Nothing was run: send it again in a second.',
      extensions: OVERLOADED,
    });
    expect(await errorOverSocket(service, CHAT)).toMatchObject([{ extensions: OVERLOADED }]);
    expect(await health(service)).toEqual([200, 200, 200]);
    expect(await metersOf(service)).toEqual({ in_flight: 2, refused_total: 2 });

    const ended = await chats.end();
    expect(ended.map(({ data }) => data.chat.content)).toEqual(['echo: hi', 'echo: hi']);
    expect((await ask(service, CHAT)).status).toBe(200);
    expect(service.gateway.records).toHaveLength(3);
    expect(await metersOf(service)).toEqual({ in_flight: 0, refused_total: 2 });
  });

  test('a request is sent away before its body is there', async () => {
    await using service = await startService({ inFlightMax: 1 });
    using _chats = await fill(service, 1);
    const answer = await raw(service, {
      headers: { 'content-type': 'application/json', 'content-length': '500000' },
      // The answer comes after the first bytes; the rest is never sent.
      send: (body) => void body.write('{"query": '),
    }).catch((error: NodeJS.ErrnoException) => error.code);
    expect(answer).toMatchObject({ status: 503 });
  });

  test('a short request is sent away without losing its connection: a refusal costs no more than it must', async () => {
    await using service = await startService({ inFlightMax: 1 });
    using _chats = await fill(service, 1);
    const body = JSON.stringify({ query: CHAT });
    const request = (more: string) =>
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${more}\r\n${body}`;
    const answers = await bare(service, request('') + request('connection: close\r\n'));
    expect(answers.match(/^HTTP\/1.1 503 /gm)).toHaveLength(2);
    expect(answers.match(/"code":"OVERLOADED"/g)).toHaveLength(2);
  });

  test('of many that come at one moment, no more run than there are places, and the log says so once', async () => {
    await using service = await startService({ inFlightMax: 5 });
    let running = 0;
    let runningMost = 0;
    const finish = Promise.withResolvers<void>();
    service.gateway.onChat = async (call) => {
      running += 1;
      runningMost = Math.max(runningMost, running);
      await finish.promise;
      running -= 1;
      return answered(call, service.gateway.now());
    };
    const chats = Array.from({ length: 40 }, () => ask(service, CHAT));
    const refused: Promise<unknown>[] = [];
    const allRefused = Promise.withResolvers<void>();
    for (const chat of chats) {
      void chat.then(({ status }) => {
        if (status === 503 && refused.push(chat) === 35) allRefused.resolve();
      });
    }
    await allRefused.promise;
    finish.resolve();
    const statuses = (await Promise.all(chats)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(runningMost).toBe(5);
    expect(service.log.filter(({ msg }) => String(msg).includes('sent away'))).toHaveLength(1);
  });

  test('a chat whose caller left fills its place until it is settled', async () => {
    await using service = await startService({ inFlightMax: 1 });
    const begun = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const settled = Promise.withResolvers<void>();
    service.gateway.onChat = async (call) => {
      call.signal.addEventListener('abort', () => left.resolve());
      begun.resolve();
      await settled.promise;
      return answered(call, service.gateway.now());
    };
    const caller = new AbortController();
    const gone = ask(service, CHAT, {}, { signal: caller.signal }).catch(() => 'gone');
    await begun.promise;
    caller.abort();
    await Promise.all([gone, left.promise]);
    expect((await ask(service, CHAT)).status).toBe(503);
    settled.resolve();
    await expect.poll(async () => (await ask(service, CHAT)).status).toBe(200);
  });
});

describe('while the event loop is late', () => {
  test('queries are sent away first, then chats; health is always answered; and it ends by itself', async () => {
    const clock = makeFakeClock();
    await using service = await startService({ clock });
    const statuses = async () => [(await ask(service, READ)).status, (await ask(service, CHAT)).status];
    expect(await statuses()).toEqual([200, 200]);
    slowDown(clock, LOAD.strainedMs);
    expect(await statuses()).toEqual([503, 200]);
    slowDown(clock, LOAD.overwhelmedMs);
    expect(await statuses()).toEqual([503, 503]);
    expect(await health(service)).toEqual([200, 200, 200]);
    slowDown(clock, LOAD.strainedMs);
    expect(await statuses()).toEqual([503, 200]);
    catchUp(clock);
    expect(await statuses()).toEqual([200, 200]);
    expect(service.log.filter(({ strain }) => strain !== undefined).map(({ strain }) => strain)).toEqual([
      'strained',
      'overwhelmed',
      'strained',
      'calm',
    ]);
  });

  test('one long pause alone sends nobody away', async () => {
    const clock = makeFakeClock();
    await using service = await startService({ clock });
    clock.stall(30_000);
    clock.advance(0);
    expect((await ask(service, READ)).status).toBe(200);
  });
});

test('one line of keys fills less than half of the places: chats and queries of others go on beside it', async () => {
  await using service = await startService({ auth: 'keys', inFlightMax: 10 });
  const { credentials } = service.gateway;
  const headersOf = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });
  const noisy = headersOf(credentials.give({ id: KEY_A }));
  const quiet = headersOf(credentials.give({ id: KEY_B }));
  using filled = await fill(service, 4, noisy);
  for (const query of [CHAT, READ]) {
    const refused = await ask(service, query, {}, noisy);
    expect(refused).toMatchObject({ status: 503, errors: [{ extensions: OVERLOADED }] });
    expect(refused.errors[0]!.message).toContain('4 operations under way');
  }
  expect((await ask(service, READ, {}, quiet)).status).toBe(200);
  const { onChat } = service.gateway;
  service.gateway.onChat = (call) => answered(call, service.gateway.now());
  expect((await ask(service, CHAT, {}, quiet)).errors).toEqual([]);
  service.gateway.onChat = onChat;
  await filled.end();
  await expect.poll(async () => (await ask(service, READ, {}, noisy)).status).toBe(200);
});
