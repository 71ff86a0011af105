import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Caller } from '../../src/gateway/caller.ts';
import { ADMIN_CALLER, NOBODY, OPEN_CALLER } from '../../src/gateway/caller.ts';
import { chooseText, parsePersisted } from '../../src/graphql/persisted-documents.ts';
import { sha256 } from '../../src/wiring/system.ts';
import { raw } from './raw.ts';
import { type Service, startService } from './running-server.ts';

const VERSION = 'query Version { gateway { version } }';
const EVENTS = 'subscription Events { breakerEvents { snapshot } }';
const HASH = sha256(VERSION);

function persisted(areOnlyOnes: boolean) {
  const parsed = parsePersisted({ [`sha256:${HASH}`]: VERSION, events: EVENTS }, sha256);
  if (parsed.kind === 'invalid') throw new RangeError(parsed.faults.join());
  return { texts: parsed.texts, areOnlyOnes };
}

async function post(service: Service, body: object) {
  const headers = { 'content-type': 'application/json' };
  const answer = await raw(service, { headers, body: JSON.stringify(body) });
  const { data, errors } = JSON.parse(answer.text);
  return { status: answer.status, data, code: errors?.[0].extensions.code };
}

const ANSWERED = { status: 200, data: { gateway: { version: '0.1.0-test' } } };
const REQUIRED = { status: 400, code: 'PERSISTED_DOCUMENT_REQUIRED' };
const NOT_FOUND = { status: 400, code: 'PERSISTED_DOCUMENT_NOT_FOUND' };

describe('over HTTP', () => {
  test.each([
    ['its id', { documentId: `sha256:${HASH}` }],
    ['its hash alone', { documentId: HASH.toUpperCase() }],
    ["its hash, as Apollo's clients send it", { extensions: { persistedQuery: { version: 1, sha256Hash: HASH } } }],
  ])('a document is run by %s, whether others are or not', async (_name, body) => {
    for (const areOnlyOnes of [true, false]) {
      await using service = await startService({ persisted: () => persisted(areOnlyOnes) });
      expect(await post(service, body)).toMatchObject(ANSWERED);
    }
  });

  test('by a link as well', async () => {
    await using service = await startService({ persisted: () => persisted(true) });
    const answer = await raw(service, { method: 'GET', path: `/graphql?documentId=sha256%3A${HASH}` });
    expect(JSON.parse(answer.text)).toMatchObject({ data: ANSWERED.data });
  });

  test('an id that is not known is refused; with its text beside it, the text is run where texts are', async () => {
    await using open = await startService({ persisted: () => persisted(false) });
    await using closed = await startService({ persisted: () => persisted(true) });
    const unknown = { extensions: { persistedQuery: { version: 1, sha256Hash: sha256('other') } } };
    expect(await post(open, unknown)).toMatchObject(NOT_FOUND);
    expect(await post(closed, unknown)).toMatchObject(NOT_FOUND);
    expect(await post(open, { ...unknown, query: VERSION })).toMatchObject(ANSWERED);
    expect(await post(closed, { ...unknown, query: VERSION })).toMatchObject(NOT_FOUND);
  });

  test('where nothing else is run, a text is refused: also by a link, also as a stream, also one that is known', async () => {
    await using service = await startService({ persisted: () => persisted(true) });
    expect(await post(service, { query: VERSION })).toMatchObject(REQUIRED);
    expect(await post(service, { query: '{ __typename }', documentId: '' })).toMatchObject(REQUIRED);
    expect(await post(service, {})).toMatchObject(REQUIRED);
    const link = await raw(service, { method: 'GET', path: `/graphql?query=${encodeURIComponent(VERSION)}` });
    expect(link.text).toContain(REQUIRED.code);
    const asText = await raw(service, { headers: { 'content-type': 'application/graphql' }, body: VERSION });
    expect(asText.text).toContain(REQUIRED.code);
    const stream = await raw(service, {
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: EVENTS }),
    });
    expect(stream.text).toContain(REQUIRED.code);
    expect(service.gateway.watcherCount()).toBe(0);
  });
});

test('over server-sent events a subscription is run by its id', async () => {
  await using service = await startService({ persisted: () => persisted(true) });
  const client = createSseClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  // What a client puts beside the text goes into the body.
  const results = client.iterate<Record<string, unknown>>({ query: '', ...{ documentId: 'events' } });
  expect((await results.next()).value).toMatchObject({ data: { breakerEvents: { snapshot: true } } });
  client.dispose();
});

test('over WebSocket it is the same: by its id, not by its text', async () => {
  await using service = await startService({ persisted: () => persisted(true) });
  const client = createClient({
    url: `ws://127.0.0.1:${service.port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  const first = (payload: { query: string; documentId?: string }) =>
    client
      .iterate(payload)
      .next()
      .catch((errors: unknown) => errors);
  expect(await first({ query: '', documentId: 'events' })).toMatchObject({
    value: { data: { breakerEvents: { snapshot: true } } },
  });
  expect(await first({ query: EVENTS })).toMatchObject([{ extensions: { code: REQUIRED.code } }]);
  expect(await first({ query: EVENTS, documentId: 'other' })).toMatchObject([{ extensions: { code: NOT_FOUND.code } }]);
  await client.dispose();
});

test('administrators may send any text; those who are let in without a key may not', () => {
  const keeper: Caller = {
    kind: 'key',
    // biome-ignore lint/suspicious/noExplicitAny: of a key only its scopes matter here
    key: { scopes: ['chat', 'requests:read-all'] } as any,
  };
  const chosen = (caller: Caller) => chooseText({ query: '{ __typename }' }, caller, persisted(true)).kind;
  expect([ADMIN_CALLER, OPEN_CALLER, NOBODY, keeper].map(chosen)).toEqual(['text', 'refused', 'refused', 'refused']);
});

test('a file of documents is checked whole', () => {
  const tooDeep = `{ providers { ${'models { provider { '.repeat(8)} key ${'} }'.repeat(8)} } }`;
  const file = {
    [HASH]: '{ __typename }',
    '': VERSION,
    syntax: '{',
    unknown: '{ nobody }',
    deep: tooDeep,
    number: 1,
    fine: VERSION,
  };
  expect(parsePersisted(file, sha256)).toMatchObject({
    kind: 'invalid',
    faults: [
      expect.stringMatching(
        `^"${HASH}": the id is not the SHA-256 of its document, which is ${sha256('{ __typename }')}`,
      ),
      '"": an id has 1 to 200 characters',
      expect.stringMatching(/^"syntax": Syntax Error/),
      expect.stringMatching(/^"unknown": Cannot query field "nobody"/),
      expect.stringMatching(/^"deep": The operation nests deeper/),
      '"number": must be a text',
    ],
  });
  expect(parsePersisted([], sha256).kind).toBe('invalid');
});
