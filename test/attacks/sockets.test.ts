import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { INIT, openSocket, type Socket, subscribe, WATCH } from './open-socket.ts';
import { bytes, EVIL_CHAT, many } from './send.ts';
import { openTarget, REPLY_BYTES_MAX, type Reply, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const open = (options: Parameters<typeof openSocket>[1] = {}) => openSocket(target, options);

/** Connects, says all of it, and waits for the end. */
async function say(...frames: readonly (string | Buffer)[]): Promise<Reply> {
  const { socket, ended } = open();
  const [first = '', ...more] = frames;
  socket.once('open', () => socket.send(first));
  // What comes before the welcome is refused as such.
  socket.once('message', () => {
    for (const frame of more) socket.send(frame);
  });
  return ended;
}

async function expectRepelled(reply: Reply, status: number | readonly (number | null)[]): Promise<void> {
  expect([status].flat(), reply.text).toContain(reply.status);
  expect(Buffer.byteLength(reply.text)).toBeLessThan(REPLY_BYTES_MAX);
  await target.expectUnharmed();
}

describe('who may connect', () => {
  test.each([
    'https://evil.example',
    'null',
    'file://',
    'http://localhost.evil.example',
    'http://127.0.0.1:1',
    'chrome-extension://evil',
    'http://127.0.0.1@evil.example',
  ])('no page of %s', async (origin) => expectRepelled(await open({ origin }).ended, 403));

  test.each([
    ['another path', '/elsewhere', 'connection: upgrade\r\nupgrade: websocket', 404],
    ['no key', '/graphql', 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13', 400],
    [
      'a version of long ago',
      '/graphql',
      `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 1\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}`,
      [400, 426],
    ],
    [
      'a key of 10 kB',
      '/graphql',
      `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'a'.repeat(10_000)}`,
      400,
    ],
  ])('not by %s', async (_name, path, headers, status) => {
    await expectRepelled(
      await bytes(target, `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${target.port}\r\n${headers}\r\n\r\n`),
      status,
    );
  });

  test('not by another protocol than ours, and nothing is compressed, whoever asks for it', async () => {
    await expectRepelled(await open({ protocol: 'graphql-ws' }).ended, [1006, 4406, 400]);
    const { socket } = open({ perMessageDeflate: true });
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.extensions).toBe('');
    socket.terminate();
  });
});

describe('what is said', () => {
  test.each<readonly [string, () => readonly (string | Buffer)[], number]>([
    ['a frame of more than a megabyte', () => ['x'.repeat(1_100_000)], 1009],
    ['the same after an introduction', () => [INIT, 'x'.repeat(1_100_000)], 1009],
    ['no JSON', () => ['nonsense'], 4400],
    ['bytes that are no text', () => [randomBytes(1_000)], 4400],
    ['JSON that is no message', () => [INIT, '[]'], 4400],
    ['brackets within brackets', () => ['['.repeat(60_000)], 4400],
    ['a message of no kind', () => [INIT, '{"type":"__proto__"}'], 4400],
    ['an operation without an introduction', () => [subscribe(`mutation { ${EVIL_CHAT} }`)], 4401],
    ['two introductions', () => [INIT, INIT], 4429],
    ['two operations of one id', () => [INIT, subscribe(WATCH), subscribe(WATCH)], 4409],
    ['an operation without an id', () => [INIT, subscribe(WATCH, '')], 4400],
    ['an operation without a document', () => [INIT, '{"id":"1","type":"subscribe","payload":{}}'], 4400],
  ])('%s ends the connection', async (_name, frames, code) => expectRepelled(await say(...frames()), code));

  test('nothing, for more than three seconds, ends it too', async () => {
    const silent = await Promise.all(Array.from({ length: 30 }, () => open().ended));
    expect(new Set(silent.map(({ status }) => status))).toEqual(new Set([4408]));
    await target.expectUnharmed();
  });

  test('frames that are none end it', async () => {
    for (const frame of [
      [0xff, 0xff, 0xff, 0xff],
      [0x81, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f],
      [0x80, 0x80, 0, 0, 0, 0],
      [0x88, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ]) {
      const { socket, ended } = open();
      await new Promise((resolve) => socket.once('open', resolve));
      rawSocketOf(socket).write(Buffer.from(frame));
      await expectRepelled(await ended, [1002, 1006, 1009]);
    }
  });

  test('a message in endless pieces ends it when they are too many bytes', async () => {
    const { socket, ended } = open();
    await new Promise((resolve) => socket.once('open', resolve));
    for (let piece = 0; piece < 30; piece += 1) socket.send('x'.repeat(50_000), { fin: false });
    await expectRepelled(await ended, 1009);
  });
});

describe('operations', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(4_000)}1${'}'.repeat(4_000)}`);
  test.each<readonly [string, string, object, RegExp]>([
    ['fourteen chats', `mutation { ${many(14, (index) => `c${index}: ${EVIL_CHAT}`)} }`, {}, /TOO_MANY_PAID_MUTATIONS/],
    ['a hundred aliases', `{ ${many(100, (index) => `a${index}: __typename`)} }`, {}, /TOO_MANY_ALIASES/],
    [
      'forty fields deep',
      `{ providers { ${'models { provider { '.repeat(20)} key ${'} }'.repeat(20)} } }`,
      {},
      /TOO_DEEP/,
    ],
    ['too many words', many(3_000, 'x'), {}, /TOO_MANY_TOKENS|Syntax Error/],
    [
      'lists within lists',
      '{ requests(first: 200) { nodes { routing { candidates { rank } } } } }',
      {},
      /COST_TOO_HIGH/,
    ],
    [
      'a subscription that costs too much',
      `subscription { requestEvents { ${many(14, (index) => `r${index}: request { routing { candidates { provider { models { provider { models { name } } } } } } }`)} } }`,
      {},
      /COST_TOO_HIGH/,
    ],
    [
      'metadata thousands of levels deep',
      'mutation ($i: ChatInput!) { chat(input: $i) { ... on ApiError { code } } }',
      { variables: { i: { prompt: 'evil', metadata: deep } } },
      /INVALID_INPUT/,
    ],
    ['a document by an unknown id', '', { documentId: '__proto__' }, /PERSISTED_DOCUMENT_NOT_FOUND/],
    ['no document', '', {}, /Syntax Error/],
  ])('%s are refused', async (_name, query, more, says) => {
    const { socket, heard, hears } = open();
    socket.once('open', () => socket.send(INIT));
    await hears(1);
    socket.send(subscribe(query, '1', more));
    await hears(2);
    expect(heard[1]).toMatch(says);
    expect(Buffer.byteLength(heard[1] ?? '')).toBeLessThan(REPLY_BYTES_MAX);
    await target.expectUnharmed();
    socket.terminate();
  });

  test('two hundred on one connection: as many run as may, each other one is refused', async () => {
    const { socket, heard, hears } = open();
    socket.once('open', () => socket.send(INIT));
    await hears(1);
    for (let id = 0; id < 200; id += 1) socket.send(subscribe(WATCH, `op-${id}`));
    await hears(1 + 100);
    const refused = heard.slice(1);
    expect(refused.every((text) => text.includes('BAD_REQUEST') && Buffer.byteLength(text) < REPLY_BYTES_MAX)).toBe(
      true,
    );
    await target.expectUnharmed();
    socket.terminate();
  });

  test('subscriptions on many connections: no more than a replica serves, and all are forgotten with their connections', async () => {
    const sockets: Socket[] = [];
    while (sockets.length < 30) {
      const one = open();
      const { socket, hears } = one;
      sockets.push(one);
      socket.once('open', () => socket.send(INIT));
      await hears(1);
      for (let id = 0; id < 45; id += 1) socket.send(subscribe(WATCH, `op-${id}`));
    }
    const refused = () => sockets.flatMap(({ heard }) => heard).filter((text) => text.includes('TOO_MANY_WATCHERS'));
    await expect.poll(() => refused().length, { timeout: 20_000 }).toBeGreaterThan(300);
    await target.expectUnharmed();
    for (const { socket } of sockets) socket.terminate();
    const again = open();
    again.socket.once('open', () => again.socket.send(INIT));
    await again.hears(1);
    again.socket.send(subscribe('subscription { breakerEvents { snapshot } }'));
    await again.hears(2);
    expect(again.heard[1]).toContain('"snapshot":true');
    again.socket.terminate();
  });

  test('ten thousand pings', async () => {
    const { socket } = open();
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(INIT);
    for (let ping = 0; ping < 10_000; ping += 1) socket.ping();
    await target.expectUnharmed();
    socket.terminate();
  });

  test('three hundred connections that come and go', async () => {
    for (let round = 0; round < 3; round += 1) {
      const sockets = Array.from({ length: 100 }, () => open());
      await Promise.all(sockets.map(({ socket }) => new Promise((resolve) => socket.once('open', resolve))));
      for (const { socket } of sockets) socket.terminate();
    }
    await target.expectUnharmed();
  });
});

/** What the library writes to. */
function rawSocketOf(socket: WebSocket): { write(data: Buffer): boolean } {
  // biome-ignore lint/suspicious/noExplicitAny: the library keeps it to itself, and writes no frame that is wrong
  return (socket as any)._socket;
}
