import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Attack, expectRepelled, named } from './repel.ts';
import { bytes, call, EVIL, JSON_TYPE, post, send } from './send.ts';
import { openTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const typed = (type: string) => ({ 'content-type': type });

describe('requests that are read in two ways', () => {
  const smuggled = `0\r\n\r\nPOST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${EVIL.length}\r\n\r\n${EVIL}`;
  const attacks: readonly Attack[] = [
    [
      'a length and chunks',
      () => bytes(target, post(`content-length: ${smuggled.length}\r\ntransfer-encoding: chunked`, smuggled)),
      400,
    ],
    [
      'chunks and a length',
      () => bytes(target, post('transfer-encoding: chunked\r\ncontent-length: 4', smuggled)),
      400,
    ],
    ['two lengths', () => bytes(target, post(`content-length: 0\r\ncontent-length: ${EVIL.length}`)), 400],
    ['two lengths in one', () => bytes(target, post(`content-length: 0, ${EVIL.length}`)), 400],
    ['a negative length', () => bytes(target, post('content-length: -1')), 400],
    ['a length with a sign', () => bytes(target, post(`content-length: +${EVIL.length}`)), 400],
    ['a length that overflows', () => bytes(target, post('content-length: 99999999999999999999999')), 400],
    ['chunks by another name', () => bytes(target, post('transfer-encoding: xchunked', smuggled)), [400, 501]],
    ['chunks, written apart from their name', () => bytes(target, post('transfer-encoding : chunked', smuggled)), 400],
    [
      'a chunk longer than anything',
      () => bytes(target, post('transfer-encoding: chunked', 'fffffffffffffffff\r\nx')),
      [400, 413],
    ],
    ['a chunk with a negative length', () => bytes(target, post('transfer-encoding: chunked', '-1\r\nx')), 400],
    ['a header in two lines', () => bytes(target, post(`x: y\r\n content-length: ${EVIL.length}`)), 400],
    ['a NUL in a header', () => bytes(target, post('x: a\0b')), 400],
    ['no host', () => bytes(target, `POST /graphql HTTP/1.1\r\ncontent-length: 0\r\n\r\n`), 400],
    ['another protocol', () => bytes(target, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'), 400],
    ['another version', () => bytes(target, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 400],
    [
      'a request to another host through this one',
      () =>
        bytes(
          target,
          'GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
        ),
      [400, 404],
    ],
    [
      'a tunnel',
      () => bytes(target, 'CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      [null, 400, 405],
    ],
  ];
  test.each(named(attacks))('%s', (_name, attack) => expectRepelled(target, attack));
});

describe('paths, methods and headers', () => {
  const attacks: readonly Attack[] = [
    ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map(
      (method): Attack => [
        `${method} of a chat`,
        () => bytes(target, post(`content-length: ${EVIL.length}\r\nconnection: close`).replace('POST', method)),
        [400, 404, 405],
      ],
    ),
    ...[
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '//graphql',
      '/graphql/',
      '/graphql%00',
      '/graphql;x=1',
      '/GRAPHQL',
      '/.env',
      '/%ff',
      `/${'a'.repeat(5_000)}`,
    ].map(
      (path): Attack => [
        `the path ${path.slice(0, 40)}`,
        () => bytes(target, post(`content-length: ${EVIL.length}\r\nconnection: close`).replace('/graphql', path)),
        [400, 404],
      ],
    ),
    ['a link of 20 kB', () => call(target, 'GET', `/graphql?query=${'a'.repeat(20_000)}`), [414, 431]],
    [
      'a link with variables that are no JSON',
      () => call(target, 'GET', '/graphql?query=%7B__typename%7D&variables=%7B'),
      400,
      /BAD_REQUEST/,
    ],
    ['a link that cannot be decoded', () => call(target, 'GET', '/graphql?query=%E0%A4%A'), [200, 400]],
    ['a header of 20 kB', () => bytes(target, post(`x-big: ${'a'.repeat(20_000)}`)), 431],
    [
      'two thousand headers',
      () => bytes(target, post(Array.from({ length: 2_000 }, (_, index) => `x-${index}: y`).join('\r\n'))),
      431,
    ],
    [
      'an expectation that nobody meets',
      () => bytes(target, post('expect: miracles\r\ncontent-length: 0\r\nconnection: close')),
      [400, 417],
    ],
    [
      'a wish for another protocol',
      () => bytes(target, post('connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 0')),
      [400, 404, 405, 426],
    ],
    [
      'an accepted type of 10 kB',
      () => send(target, '{"query":"{ __typename }"}', { ...JSON_TYPE, accept: 'a/'.repeat(5_000) }),
      [400, 406],
    ],
    ['a content type of 10 kB', () => send(target, EVIL, typed('a/'.repeat(5_000))), 415],
    [
      'nonsense behind a request',
      () => bytes(target, 'GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\nNONSENSE\r\n\r\n'),
      [400, 404],
    ],
  ];
  test.each(named(attacks))('%s', (_name, attack) => expectRepelled(target, attack));
});

describe('those who take their time', () => {
  test.concurrent.each(
    named([
      [
        'headers that never end',
        () => bytes(target, 'POST /graphql HTTP/1.1\r\nhost: localhost\r\n', { text: 'x: y\r\n', everyMs: 100 }),
        [408, null],
      ],
      [
        'headers that come one sign at a time',
        () => bytes(target, 'POST /graphql HTTP/1.1\r\nx-slow: ', { text: 'a', everyMs: 100 }),
        [408, null],
      ],
      [
        'a body that comes one sign at a time',
        () => bytes(target, post('content-length: 1000', '{'), { text: ' ', everyMs: 100 }),
        [408, null],
      ],
      ['a body that never comes', () => bytes(target, post('content-length: 1000', '')), [408, null]],
      [
        'chunks of one sign',
        () => bytes(target, post('transfer-encoding: chunked', ''), { text: '1\r\n \r\n', everyMs: 100 }),
        [408, null],
      ],
      ['a connection that says nothing', () => bytes(target, ''), [408, null]],
    ]),
  )('%s', (_name, attack) => expectRepelled(target, attack));

  test('two hundred connections that begin and never go on', async () => {
    const replies = await Promise.all(Array.from({ length: 200 }, () => bytes(target, 'POST /graphql HTTP/1.1\r\n')));
    expect(replies.filter(({ status }) => status !== 408 && status !== null)).toEqual([]);
    await target.expectUnharmed();
  });
});
