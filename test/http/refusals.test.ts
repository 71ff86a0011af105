import { describe, expect, test } from 'vitest';
import { BODY_LIMITS } from '../../src/http/body.ts';
import { bare, raw } from './raw.ts';
import { ask, startService } from './running-server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const TOO_LONG = Buffer.alloc(BODY_LIMITS.bytesMax + 1, 'x');
const CHAT = 'mutation { chat(input: { prompt: "hi" }) { __typename } }';

function errorOf(text: string): { readonly code: unknown; readonly message: string } {
  const { errors } = JSON.parse(text);
  return { code: errors[0].extensions.code, message: errors[0].message };
}

describe('a body over a megabyte', () => {
  test('is refused by its announced length before it is read', async () => {
    await using service = await startService();
    const headers = { ...JSON_TYPE, 'content-length': String(TOO_LONG.length) };
    const answer = await raw(service, { headers, body: TOO_LONG });
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
    expect(answer.headers['content-type']).toMatch('application/json');
    expect(errorOf(answer.text)).toEqual({
      code: 'BODY_TOO_LARGE',
      message: 'The request body may have at most 1000000 bytes. Send a shorter one, and images as https URLs.',
    });
  });

  test('is refused when it comes in chunks and announces nothing', async () => {
    await using service = await startService();
    const send = (body: { write(chunk: Buffer): boolean; end(): void }) => {
      for (let index = 0; index < 20; index += 1) body.write(TOO_LONG.subarray(0, 100_000));
      body.end();
    };
    const answer = await raw(service, { headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' }, send });
    expect(answer.status).toBe(413);
    expect(errorOf(answer.text).code).toBe('BODY_TOO_LARGE');
  });

  test('is answered although the caller never stops sending', async () => {
    await using service = await startService();
    const answer = await new Promise<string>((resolve, reject) => {
      const endless = (body: { write(chunk: Buffer): boolean; end(): void }) => {
        const more = () => void (body.write(TOO_LONG) && setImmediate(more));
        more();
      };
      raw(service, { headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' }, send: endless }).then(
        ({ text }) => resolve(text),
        reject,
      );
    });
    expect(errorOf(answer).code).toBe('BODY_TOO_LARGE');
  });

  test('need not even be sent by a caller who asks first', async () => {
    await using service = await startService();
    const head = `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2000000\r\n\r\n`;
    const answer = await bare(service, head);
    expect(answer).toMatch(/^HTTP\/1.1 413/);
    expect(answer).not.toContain('100 Continue');
  });

  test('of exactly the limit is read', async () => {
    await using service = await startService();
    const query = JSON.stringify({ query: '{ gateway { version } }', extensions: { padding: '' } });
    const padded = query.replace('"padding":""', `"padding":"${'x'.repeat(BODY_LIMITS.bytesMax - query.length)}"`);
    expect(Buffer.byteLength(padded)).toBe(BODY_LIMITS.bytesMax);
    const answer = await raw(service, { headers: JSON_TYPE, body: padded });
    expect(JSON.parse(answer.text).data).toEqual({ gateway: { version: '0.1.0-test' } });
  });
});

// Without `accept` the answer is application/json, for which the specification keeps the status 200 of old for some of these.
describe('a request that is none', () => {
  test.each([
    ['{ "query": ', JSON_TYPE, 400, 'BAD_REQUEST', /not valid JSON: .*(Unexpected end|end of)/],
    ['[]', JSON_TYPE, 400, 'BAD_REQUEST', /one JSON object.*Batches are not taken/],
    ['"text"', JSON_TYPE, 400, 'BAD_REQUEST', /one JSON object/],
    ['{}', JSON_TYPE, 200, 'BAD_REQUEST', /Must provide query string/],
    ['{"query": "{"}', JSON_TYPE, 200, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    ['{"query": "{ nope }"}', JSON_TYPE, 200, 'GRAPHQL_VALIDATION_FAILED', /Cannot query field/],
    [
      'query=%7Bgateway%7Bversion%7D%7D',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /Send content-type application\/json/,
    ],
    ['x', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE', /not "text\/plain"/],
    ['x', { 'content-type': 'multipart/form-data; boundary=x' }, 415, 'UNSUPPORTED_MEDIA_TYPE', /application\/json/],
    ['x', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE', /without a content-encoding/],
    [
      '{"query": "{ gateway { version } }"}',
      { ...JSON_TYPE, accept: 'image/png' },
      406,
      'NOT_ACCEPTABLE',
      /application\/graphql-response\+json/,
    ],
  ])('%j is answered with what to send instead', async (text, headers, status, code, message) => {
    await using service = await startService();
    const answer = await raw(service, { headers, body: text });
    expect(answer.status).toBe(status);
    expect(errorOf(answer.text)).toEqual({ code, message: expect.stringMatching(message) });
  });

  test('bytes that are no UTF-8 are refused, not guessed at', async () => {
    await using service = await startService();
    const latin1 = Buffer.from('{"query": "{ gateway { version } }", "operationName": "é"}', 'latin1');
    const answer = await raw(service, { headers: JSON_TYPE, body: latin1 });
    expect([answer.status, errorOf(answer.text).message]).toEqual([400, 'The request body is not UTF-8.']);
  });

  test('a subscription without a stream to put it on is told how to ask', async () => {
    await using service = await startService();
    const { status, errors } = await ask(service, 'subscription { breakerEvents { id } }');
    expect(status).toBe(406);
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/accept: text\/event-stream.*graphql-transport-ws/),
        extensions: { code: 'NOT_ACCEPTABLE' },
      },
    ]);
    expect(service.gateway.watcherCount()).toBe(0);
  });

  test('money is never spent by a link', async () => {
    await using service = await startService();
    const answer = await raw(service, { method: 'GET', path: `/graphql?query=${encodeURIComponent(CHAT)}` });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    expect(service.gateway.records).toEqual([]);
  });

  test('what is nowhere is a JSON 404; what is used wrongly says how to use it', async () => {
    await using service = await startService();
    const nowhere = await raw(service, { method: 'GET', path: '/nowhere?x=1' });
    expect([nowhere.status, errorOf(nowhere.text)]).toEqual([
      404,
      {
        code: 'NOT_FOUND',
        message: "Nothing is served at /nowhere. GraphQL is at /graphql, OpenAI's API at /v1/chat/completions.",
      },
    ]);
    const wrong = await raw(service, { method: 'DELETE', path: '/livez' });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect((await raw(service, { method: 'PUT' })).status).toBe(405);
  });

  test('no page of another origin is invited to read', async () => {
    await using service = await startService();
    const { headers } = await ask(
      service,
      '{ gateway { version } }',
      {},
      { headers: { origin: 'https://evil.example' } },
    );
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a document that asks for too much', () => {
  test('fourteen chats under other names are refused, and none runs', async () => {
    await using service = await startService();
    const chats = Array.from({ length: 14 }, (_, index) => `c${index}: chat(input: { prompt: "hi" }) { __typename }`);
    const { status, errors, data } = await ask(service, `mutation { ${chats.join('\n')} }`);
    expect(status).toBe(400);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([
      {
        message: 'One operation may hold one paid mutation, this one holds 14. Send one per request.',
        extensions: { code: 'TOO_MANY_PAID_MUTATIONS' },
      },
    ]);
    expect(service.gateway.records).toEqual([]);
  });

  test('a fragment hides no chat, nor does a client that accepts plain JSON', async () => {
    await using service = await startService();
    const query = `mutation { ...F ... { b: chat(input: { prompt: "hi" }) { __typename } } } fragment F on Mutation { ...G } fragment G on Mutation { chat(input: { prompt: "hi" }) { __typename } }`;
    const { status, errors } = await ask(service, query, {}, { headers: { accept: 'application/json' } });
    expect([status, errors[0]?.extensions.code]).toEqual([400, 'TOO_MANY_PAID_MUTATIONS']);
    expect(service.gateway.records).toEqual([]);
  });

  test('endless text is refused by its number of words', async () => {
    await using service = await startService();
    const { status, errors } = await ask(service, `{ ${'__typename '.repeat(20_000)} }`);
    expect([status, errors[0]?.message]).toEqual([400, expect.stringMatching(/has more than 2000 tokens/)]);
  });
});
