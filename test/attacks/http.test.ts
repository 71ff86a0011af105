import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Attack, expectRepelled, named } from './repel.ts';
import { bytes, call, EVIL, EVIL_CHAT_DOCUMENT, JSON_TYPE, post, send } from './send.ts';
import { openTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const EVIL_REST = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'evil' }], user: 'mallory' });
const BIG = Buffer.alloc(10_000_000, 'x');
const BOMB = gzipSync(Buffer.alloc(50_000_000, ' '));
const REST = '/v1/chat/completions';
const typed = (type: string) => ({ 'content-type': type });
const STREAM = EVIL_CHAT_DOCUMENT.replace('mutation', 'subscription').replace('chat(', 'chatStream(');
const streamLink = `/graphql?query=${encodeURIComponent(STREAM)}`;
const link = `/graphql?query=${encodeURIComponent(EVIL_CHAT_DOCUMENT)}`;

describe('bodies', () => {
  const attacks: readonly Attack[] = [
    [
      'a batch of ten',
      () => send(target, JSON.stringify(Array.from({ length: 10 }, () => ({ query: EVIL_CHAT_DOCUMENT })))),
      400,
      /Batches are not taken/,
    ],
    ['a batch of one', () => send(target, `[${EVIL}]`), 400, /Batches are not taken/],
    ['nothing', () => send(target, ''), 400, /BAD_REQUEST/],
    ['half of one', () => send(target, EVIL.slice(0, 20)), 400, /BAD_REQUEST/],
    ['two, one after the other', () => send(target, EVIL + EVIL), 400, /BAD_REQUEST/],
    ['a megabyte of brackets', () => send(target, '['.repeat(999_999)), 400, /BAD_REQUEST/],
    [
      'objects within objects',
      () => send(target, `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`),
      400,
      /BAD_REQUEST/,
    ],
    [
      'an object of a hundred thousand fields',
      () => send(target, `{${Array.from({ length: 70_000 }, (_, index) => `"f${index}":1`).join()}}`),
      400,
      /BAD_REQUEST/,
    ],
    ['bytes that are no text', () => send(target, Buffer.from(EVIL.replace('evil', '\u00e9'), 'latin1')), 400, /UTF-8/],
    ['bytes of another encoding', () => send(target, Buffer.from(EVIL, 'utf16le')), 400, /BAD_REQUEST/],
    ['a byte order mark', () => send(target, `\ufeff${EVIL}`), 400, /BAD_REQUEST/],
    ['ten megabytes', () => send(target, BIG), 413, /BODY_TOO_LARGE/],
    ['ten megabytes to the other door', () => send(target, BIG, JSON_TYPE, REST), 413, /body_too_large/],
    [
      'a chunk that never ends',
      () =>
        bytes(target, post('transfer-encoding: chunked', 'ffffffff\r\n'), { text: 'x'.repeat(200_000), everyMs: 20 }),
      413,
      /BODY_TOO_LARGE/,
    ],
    [
      'chunks that never end',
      () =>
        bytes(target, post('transfer-encoding: chunked', ''), {
          text: `10000\r\n${'x'.repeat(65_536)}\r\n`,
          everyMs: 20,
        }),
      413,
      /BODY_TOO_LARGE/,
    ],
    [
      'fifty megabytes that are small while they are packed',
      () => send(target, BOMB, { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      415,
      /UNSUPPORTED_MEDIA_TYPE/,
    ],
    [
      'the same twice packed',
      () => send(target, gzipSync(BOMB), { ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }),
      415,
    ],
    ['the same at the other door', () => send(target, BOMB, { ...JSON_TYPE, 'content-encoding': 'br' }, REST), 415],
    ['a list at the other door', () => send(target, `[${EVIL_REST}]`, JSON_TYPE, REST), 400],
    [
      'a form at the other door',
      () => send(target, 'model=auto', typed('application/x-www-form-urlencoded'), REST),
      415,
    ],
    [
      'metadata that nests at the other door',
      () =>
        send(
          target,
          EVIL_REST.replace('{', `{"metadata":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}},`),
          JSON_TYPE,
          REST,
        ),
      400,
    ],
  ];
  test.each(named(attacks))('%s', (_name, attack) => expectRepelled(target, attack));
});

describe('what pages of other origins may send without being asked', () => {
  const boundary = '--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n';
  const attacks: readonly Attack[] = [
    [
      'a form',
      () => send(target, `query=${encodeURIComponent(EVIL_CHAT_DOCUMENT)}`, typed('application/x-www-form-urlencoded')),
      415,
    ],
    [
      'a form with files',
      () => send(target, `${boundary}${EVIL}\r\n--b--`, typed('multipart/form-data; boundary=b')),
      415,
    ],
    ['plain text', () => send(target, EVIL, typed('text/plain')), 415],
    ['plain text that says it is JSON', () => send(target, EVIL, typed('text/plain; application/json')), 415],
    [
      'a form that says it is JSON',
      () => send(target, EVIL, typed('application/x-www-form-urlencoded, application/json')),
      415,
    ],
    ['no type', () => send(target, EVIL, {}), 415],
    ['a mutation by a link', () => call(target, 'GET', link), 405],
    [
      'a mutation by a link that says it is a POST',
      () => call(target, 'GET', link, { 'x-http-method-override': 'POST' }),
      405,
    ],
    ['a chat that is streamed, by a picture', () => call(target, 'GET', streamLink), 405, /not run by a link/],
    [
      'a chat that is streamed, by a link that wants events',
      () => call(target, 'GET', streamLink, { accept: 'text/event-stream' }),
      405,
    ],
    [
      'anything, by a picture in a page of another site',
      () =>
        call(target, 'GET', '/graphql?query=%7B__typename%7D', {
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'no-cors',
          'sec-fetch-dest': 'image',
        }),
      403,
      /ALLOWED_ORIGINS/,
    ],
    [
      'anything, by a frame in a page of another site',
      () =>
        call(target, 'GET', '/graphql?query=%7B__typename%7D', {
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'iframe',
          accept: 'text/html',
        }),
      403,
    ],
    [
      'a chat with the origin of the page',
      () => send(target, EVIL, { ...JSON_TYPE, origin: 'https://evil.example' }),
      403,
      /ALLOWED_ORIGINS/,
    ],
    [
      'a chat with the origin of the page at the other door',
      () => send(target, EVIL_REST, { ...JSON_TYPE, origin: 'https://evil.example' }, REST),
      403,
      /permission_error|invalid_request_error/,
    ],
    ['a mutation by HEAD', () => call(target, 'HEAD', link), [405, 400, 406, 415]],
    ['a chat at the other door by a link', () => call(target, 'GET', `${REST}?prompt=evil`), 405],
    [
      'a question whether they may',
      () =>
        call(target, 'OPTIONS', '/graphql', {
          origin: 'https://evil.example',
          'access-control-request-method': 'POST',
        }),
      [204, 403, 404, 405],
    ],
  ];
  test.each(named(attacks))('%s', (_name, attack) => expectRepelled(target, attack));

  test.each(['https://evil.example', 'null', 'http://localhost.evil.example', 'file://'])(
    'no answer may be read by a page of %s',
    async (origin) => {
      for (const method of ['GET', 'OPTIONS', 'POST']) {
        const path = method === 'GET' ? '/graphql?query=%7B__typename%7D' : '/graphql';
        const { headers } = await fetch(`http://127.0.0.1:${target.port}${path}`, { method, headers: { origin } });
        expect([...headers.keys()].filter((name) => name.startsWith('access-control-allow'))).toEqual([]);
      }
      await target.expectUnharmed();
    },
  );
});
