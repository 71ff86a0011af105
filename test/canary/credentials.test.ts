import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { makeKeyText } from '../../src/core/key-text.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';
import { bytesOf, dump } from './places.ts';

/** A process and its end. */
const PATIENCE_MS = 120_000;
const NAME = 'key-of-the-canaries';
const REST = '/v1/chat/completions';
const CHAT = { messages: [{ role: 'user', content: 'hello' }] };
const CREATE = `mutation { createApiKey(input: { name: "${NAME}", scopes: ["admin"] }) {
  ... on CreateApiKeySuccess { secret apiKey { id } } } }`;
const ROTATE = `mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { ... on RotateApiKeySuccess { secret } } }`;
const REVOKE = 'mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { __typename } }';
const READS = `{ viewer { apiKey { id name } } apiKeys { nodes { id name prefix lastUsedAt } } auditLog { nodes { actor act subject detail } }
  requests { nodes { id apiKey { id } } } }`;

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

async function post({ url }: Service, path: string, body: object, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return response.text();
}

/** One operation over a connection, whether it is let in or not. */
async function connect({ url }: Service, payload: object, headers: Record<string, string>): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
  socket.once('message', () => {
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: READS } }));
    socket.once('message', () => socket.close());
  });
  await closed;
}

/** A secret, in every place where one belongs and in many where none does. */
async function show(service: Service, secret: string, more: Record<string, string> = {}): Promise<void> {
  const own = { ...bearer(secret), ...more };
  await post(service, '/graphql', { query: READS }, own);
  await post(service, REST, CHAT, own);
  await post(service, REST, { ...CHAT, stream: true }, own);
  await connect(service, bearer(secret), {});
  await connect(service, {}, own);
  const sse = new AbortController();
  const events = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...own },
    body: JSON.stringify({ query: 'subscription { breakerEvents { id } }' }),
    signal: sse.signal,
  });
  await events.body?.getReader().read();
  sse.abort();
  for (const path of ['/metrics', '/readyz?verbose', '/v1/models']) {
    await (await fetch(`${service.url}${path}`, { headers: own })).text();
  }
  await post(service, `/graphql?key=${secret}`, { query: READS }, { cookie: `key=${secret}`, 'x-api-key': secret });
  await post(service, '/graphql', { query: READS }, { authorization: `Basic ${secret}` });
  await (await fetch(`${service.url}/${secret}`, { headers: { referer: `http://x/${secret}` } })).text();
}

/** What is taken for the id of a key, and is one. */
async function mistake(service: Service, admin: string, secret: string): Promise<void> {
  const variables = { id: secret };
  for (const query of [REVOKE, ROTATE, 'query ($id: ID!) { node(id: $id) { id } }']) {
    await post(service, '/graphql', { query, variables }, bearer(admin));
  }
  const byKey = 'query ($id: ID!) { requests(filter: { apiKeyId: $id }) { nodes { id } } }';
  await post(service, '/graphql', { query: byKey, variables }, bearer(admin));
}

test("neither the operator's key nor anybody's is found in the log, the meters, the database, the journal or what others are told", {
  timeout: PATIENCE_MS,
}, async () => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-canary-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await makeDatabase());
  const admin = randomBytes(32).toString('hex');
  const env = { AUTH: 'keys', ADMIN_KEY: admin, DATABASE_URL: database.url, DATA_DIR: dataDir, LOG_LEVEL: 'trace' };
  const service = opened.use(await startService(env));
  const made = JSON.parse(await post(service, '/graphql', { query: CREATE }, bearer(admin))).data.createApiKey;
  const variables = { id: made.apiKey.id };
  const rotated = JSON.parse(await post(service, '/graphql', { query: ROTATE, variables }, bearer(admin)));
  const secrets: Readonly<Record<string, string>> = {
    admin,
    key: made.secret,
    rotated: rotated.data.rotateApiKey.secret,
    unknown: makeKeyText({ id: randomBytes(16), secret: randomBytes(32) }).text,
    mistyped: `${makeKeyText({ id: randomBytes(16), secret: randomBytes(32) }).text.slice(0, -1)}_`,
    wrongAdmin: randomBytes(32).toString('hex'),
  };
  for (const secret of Object.values(secrets)) {
    await show(service, secret);
    await mistake(service, admin, secret);
  }
  await post(service, '/graphql', { query: REVOKE, variables }, bearer(admin));
  await show(service, made.secret);

  const told = [await post(service, '/graphql', { query: READS }, bearer(admin))];
  for (const path of ['metrics', 'readyz?verbose', 'livez', '']) {
    told.push(await (await fetch(`${service.url}/${path}`, { headers: bearer(admin) })).text());
  }
  // One line for all who were refused within a second.
  await eventually(async () => service.printed().includes('callers were refused'));
  const running = await bytesOf(dataDir);
  await service.end('SIGKILL');
  const places: Readonly<Record<string, string>> = {
    log: `${service.said()}\n${service.printed()}`,
    told: told.join('\n'),
    journal: `${running}\n${await bytesOf(dataDir)}`,
    ...Object.fromEntries(await dump(database.url)),
  };
  const found = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets).flatMap(([name, secret]) =>
      partsOf(secret).some((part) => text.includes(part)) ? [`${name} in ${place}`] : [],
    ),
  );
  expect(found).toEqual([]);
  expect(Object.values(places).filter((text) => text.includes(hashOf(admin)))).toEqual([]);
  // And it is really these places that were searched, after everything had really happened.
  expect(places['switchyard.api_key']).toContain(hashOf(made.secret));
  expect(places['switchyard.audit']).toContain('rotateApiKey');
  expect(places.told).toContain(NAME);
  expect(places.journal).toContain(made.apiKey.id.replace('key_', ''));
});

/** What may be shown of none: the half that is secret, from either side. */
function partsOf(secret: string): readonly string[] {
  const hidden = secret.startsWith('sy_') ? secret.slice(16) : secret;
  return [hidden.slice(0, 12), hidden.slice(-12)];
}
