import { createHash } from 'node:crypto';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_RANDOM_BYTES, makeKeyText } from '../../src/core/key-text.ts';
import { later } from '../../src/core/time.ts';
import { randomBytes } from '../../src/wiring/system.ts';
import { INIT, initBy, openSocket, subscribe, WATCH } from './open-socket.ts';
import { type Attack, expectRepelled, named } from './repel.ts';
import { bytes, call, EVIL, EVIL_CHAT_DOCUMENT, JSON_TYPE, post, send } from './send.ts';
import { ADMIN_KEY, bearer, type GuardedTarget, type NewKey, openGuardedTarget, type Reply } from './target.ts';

const REST = '/v1/chat/completions';
const EVIL_REST = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'evil' }] });
const EVENT_STREAM = { ...JSON_TYPE, accept: 'text/event-stream' };

let target: GuardedTarget;
/** One that works, of somebody who may chat: nothing here may let it in by a way of its own. */
let good: NewKey;
let secrets: Readonly<Record<string, string>>;

beforeAll(async () => {
  target = await openGuardedTarget();
  const { clock } = target.service.kit;
  good = await target.makeKey();
  const expired = await target.makeKey({ expiresAtMs: later(clock.now(), 1_000) });
  const revoked = await target.makeKey();
  // Somebody knew them while they worked.
  for (const { secret } of [expired, revoked]) await send(target, '{}', { ...JSON_TYPE, ...bearer(secret) });
  await target.revoke(revoked);
  clock.advance(1_000);
  secrets = {
    unknown: makeKeyText({ id: randomBytes(KEY_RANDOM_BYTES.id), secret: randomBytes(KEY_RANDOM_BYTES.secret) }).text,
    mistyped: `${good.secret.slice(0, -1)}${good.secret.endsWith('a') ? 'b' : 'a'}`,
    'cut short': good.secret.slice(0, -1),
    'its public part alone': good.secret.slice(0, 15),
    'its hash, as the database has it': createHash('sha256').update(good.secret).digest('hex'),
    'of another secret by the same id': `${good.secret.slice(0, 16)}${revoked.secret.slice(16)}`,
    expired: expired.secret,
    revoked: revoked.secret,
    "the operator's, cut short": ADMIN_KEY.slice(0, -1),
    'called as the prototype is': '__proto__',
    'of an SQL statement': "'/**/or/**/1=1--",
  };
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const KINDS = [
  'unknown',
  'mistyped',
  'cut short',
  'its public part alone',
  'its hash, as the database has it',
  'of another secret by the same id',
  'expired',
  'revoked',
  "the operator's, cut short",
  'called as the prototype is',
  'of an SQL statement',
] as const;

/** Says it all without waiting to be welcome. */
async function say(frames: readonly string[], options: Parameters<typeof openSocket>[1] = {}): Promise<Reply> {
  const { socket, ended } = openSocket(target, options);
  socket.once('open', () => {
    for (const frame of frames) socket.send(frame);
  });
  return ended;
}

const CHAT_OVER_SOCKET = subscribe(EVIL_CHAT_DOCUMENT);

describe.each(KINDS)('a key that is %s', (kind) => {
  const headers = () => bearer(secrets[kind] ?? '');
  const attacks: readonly Attack[] = [
    ['over HTTP', () => send(target, EVIL, { ...JSON_TYPE, ...headers() }), 401, /does not work/],
    [
      'as a stream',
      () => send(target, JSON.stringify({ query: WATCH }), { ...EVENT_STREAM, ...headers() }),
      401,
      /does not work/,
    ],
    ['over REST', () => send(target, EVIL_REST, { ...JSON_TYPE, ...headers() }, REST), 401, /does not work/],
    ['of the meters', () => call(target, 'GET', '/metrics', headers()), 401, /does not work/],
    ['in the parameters of a connection', () => say([initBy(headers().authorization), CHAT_OVER_SOCKET]), 4401],
    ['in the first request of a connection', () => say([INIT, CHAT_OVER_SOCKET], { headers: headers() }), 4401],
  ];
  test.each(named(attacks))('is nobody, %s', (_name, attack) => expectRepelled(target, attack));
});

describe('a key that works, in a place where none is looked for', () => {
  const evil = (headers: Record<string, string>, path = '/graphql') =>
    send(target, EVIL, { ...JSON_TYPE, ...headers }, path);
  const twice = (...lines: readonly string[]) =>
    bytes(target, post([...lines, `content-length: ${EVIL.length}`, 'connection: close'].join('\r\n')));
  const attacks: readonly Attack[] = [
    ...['key', 'api_key', 'access_token', 'authorization'].map(
      (name): Attack => [
        `the parameter ${name} of a link`,
        () => evil({}, `/graphql?${name}=${encodeURIComponent(`Bearer ${good.secret}`)}`),
        401,
      ],
    ),
    ['the user of a link', () => evil({ referer: `http://${good.secret}:x@127.0.0.1/` }), 401],
    ['a cookie', () => evil({ cookie: `authorization=Bearer ${good.secret}; key=${good.secret}` }), 401],
    ...['x-api-key', 'api-key', 'proxy-authorization', 'x-authorization', 'x-forwarded-authorization'].map(
      (name): Attack => [`the header ${name}`, () => evil({ [name]: `Bearer ${good.secret}` }), 401],
    ),
    [
      'the body',
      () => send(target, JSON.stringify({ query: EVIL_CHAT_DOCUMENT, extensions: { headers: bearer(good.secret) } })),
      401,
    ],
    [
      'Basic',
      () => evil({ authorization: `Basic ${Buffer.from(`${good.secret}:`).toString('base64')}` }),
      401,
      /no credential that is taken/,
    ],
    ['no scheme', () => evil({ authorization: good.secret }), 401],
    ['Bearer, encoded', () => evil({ authorization: `Bearer ${Buffer.from(good.secret).toString('base64')}` }), 401],
    ['between quotes', () => evil({ authorization: `Bearer "${good.secret}"` }), 401],
    ['behind another one', () => evil({ authorization: `Bearer ${secrets.unknown}, Bearer ${good.secret}` }), 401],
    ['before another one', () => evil({ authorization: `Bearer ${good.secret}, Bearer ${secrets.unknown}` }), 401],
    [
      'a second header',
      () => twice(`authorization: Bearer ${secrets.unknown}`, `authorization: Bearer ${good.secret}`),
      401,
    ],
    ['a header that goes on', () => twice('authorization: Bearer', ` ${good.secret}`), 400],
    ['behind 5 kB of blanks', () => evil({ authorization: `Bearer ${' '.repeat(5_000)}${good.secret}` }), 401],
    ['before 5 kB more', () => evil({ authorization: `Bearer ${good.secret}${'x'.repeat(5_000)}` }), 401],
    ['a header of 20 kB', () => twice(`authorization: Bearer ${'x'.repeat(20_000)}${good.secret}`), 431],
    [
      'a link of a connection',
      () => say([INIT, CHAT_OVER_SOCKET], { path: `/graphql?authorization=Bearer%20${good.secret}` }),
      4401,
    ],
    [
      'a part of connection_init that is a list',
      () => say([initBy([`Bearer ${good.secret}`]), CHAT_OVER_SOCKET]),
      4401,
    ],
    ['connection_init, a level deeper', () => say([initBy(bearer(good.secret)), CHAT_OVER_SOCKET]), 4401],
    ['a ping', () => say([JSON.stringify({ type: 'ping', payload: bearer(good.secret) }), CHAT_OVER_SOCKET]), 4401],
  ];
  test.each(named(attacks))('%s lets nobody in', (_name, attack) => expectRepelled(target, attack));
});

describe('nobody', () => {
  const introspection = JSON.stringify({ query: getIntrospectionQuery() });
  const attacks: readonly Attack[] = [
    ['asks for the schema', () => send(target, introspection), 401],
    ['asks for it by a link', () => call(target, 'GET', '/graphql?query=%7B__schema%7Btypes%7Bname%7D%7D%7D'), 401],
    ['asks for it over a connection', () => say([INIT, subscribe(getIntrospectionQuery())]), 4401],
    ['asks for GraphiQL', () => call(target, 'GET', '/graphql', { accept: 'text/html' }), 404],
    ['asks for meters', () => call(target, 'GET', '/metrics'), 401],
    ['asks for models', () => call(target, 'GET', '/v1/models'), 401],
    ['chats', () => send(target, EVIL), 401],
    ['chats over REST', () => send(target, EVIL_REST, JSON_TYPE, REST), 401],
    ['sends a megabyte', () => send(target, 'x'.repeat(1_000_000)), 401],
    [
      'guesses at a path below',
      () => send(target, EVIL_REST, JSON_TYPE, '/v1/chat/completions/../embeddings'),
      [401, 404],
    ],
    ['connects from a page', () => openSocket(target, { origin: 'https://evil.example' }).ended, 403],
    [
      'connects from a page with a key',
      () => openSocket(target, { origin: 'https://evil.example', headers: bearer(good.secret) }).ended,
      403,
    ],
  ];
  test.each(named(attacks))('%s', (_name, attack) => expectRepelled(target, attack));

  test('a page of another origin reads no answer, though its visitor has a key', async () => {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const headers = { origin: 'https://evil.example', ...bearer(good.secret) };
      const answer = await fetch(`${target.service.url}/graphql`, { method, headers });
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
    await target.expectUnharmed();
  });

  test('learns nothing of why a key does not work, and the log nothing of the key', async () => {
    const texts = new Set<string>();
    for (const secret of Object.values(secrets)) {
      texts.add((await send(target, EVIL, { ...JSON_TYPE, ...bearer(secret) })).text);
    }
    expect(texts.size).toBe(1);
    const log = target.service.lines.join('');
    for (const secret of [...Object.values(secrets), good.secret, ADMIN_KEY]) {
      expect(log.includes(secret.slice(-20))).toBe(false);
    }
  });

  test('a thousand wrong keys at once keep nobody out', async () => {
    const replies = await Promise.all(
      Array.from({ length: 1_000 }, () => {
        const { text } = makeKeyText({ id: randomBytes(16), secret: randomBytes(32) });
        return send(target, EVIL, { ...JSON_TYPE, ...bearer(text) });
      }),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401]));
    await target.expectUnharmed();
  });
});
