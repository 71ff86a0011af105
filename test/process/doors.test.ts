import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Service, startInVain, startService } from '../support/running.ts';

const ADMIN_KEY = '6f1c9a0be77d4c52a8e3f94b1d06c7a5';
const EVENTS = 'subscription { breakerEvents { id } }';
const REVOKED_MS_MAX = 5_000;

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

async function ask(service: Service, secret: string, query: string, variables: object = {}) {
  const headers = { 'content-type': 'application/json', ...bearer(secret) };
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...JSON.parse(await response.text()) };
}

async function makeKey(service: Service): Promise<{ readonly id: string; readonly secret: string }> {
  const { data } = await ask(
    service,
    ADMIN_KEY,
    'mutation { createApiKey(input: { name: "live", scopes: ["chat"] }) { ... on CreateApiKeySuccess { secret apiKey { id } } } }',
  );
  return { id: data.createApiKey.apiKey.id, secret: data.createApiKey.secret };
}

test('nobody can open a network to all, and a weak ADMIN_KEY opens nothing: both end the start with 78', async () => {
  const { code, said } = await startInVain({
    STORE: 'memory',
    HOST: '0.0.0.0',
    AUTH: 'off',
    ADMIN_KEY: 'changeme'.repeat(4),
  });
  expect(code).toBe(78);
  expect(said).toContain('Unset AUTH, so that callers need keys');
  expect(said).toContain('openssl rand -hex 32');
  expect(said).not.toContain('changeme');
});

test('a key that is revoked is cut off within five seconds, wherever it is live', async () => {
  // Long answers: what is cut must still be under way.
  await using service = await startService({ STORE: 'memory', HOST: '0.0.0.0', ADMIN_KEY, MOCK_LATENCY_SCALE: '60' });
  const local = { ...service, url: service.url.replace('0.0.0.0', '127.0.0.1') };
  expect(service.said()).toContain('callers need');
  expect((await fetch(`${local.url}/graphql`, { method: 'POST' })).status).toBe(401);
  const key = await makeKey(local);

  const socketEnd = Promise.withResolvers<unknown>();
  const client = createClient({
    url: `${local.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: bearer(key.secret),
    retryAttempts: 0,
    on: { closed: (event) => socketEnd.resolve(event) },
  });
  const watched = client.iterate({ query: EVENTS });
  await watched.next();
  const sse = createSseClient({ url: `${local.url}/graphql`, headers: bearer(key.secret), retryAttempts: 0 });
  const told = sse.iterate({ query: EVENTS });
  await told.next();
  const openai = new OpenAI({ baseURL: `${local.url}/v1`, apiKey: key.secret, maxRetries: 0 });
  const chat = openai.chat.completions.create({
    model: 'auto',
    messages: [{ role: 'user', content: 'a long story' }],
    stream: true,
  });
  const cut = expect(chat).rejects.toThrow();
  const meters = async () => (await fetch(`${local.url}/metrics`, { headers: bearer(ADMIN_KEY) })).text();
  await expect.poll(meters).toContain('switchyard_operations_in_flight 1');

  const revokedAtMs = performance.now();
  const revoked = await ask(
    local,
    ADMIN_KEY,
    'mutation Revoke($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { __typename } }',
    { id: key.id },
  );
  expect(revoked.data.revokeApiKey.__typename).toBe('RevokeApiKeySuccess');
  expect(await socketEnd.promise).toMatchObject({ code: 4403 });
  const rest = (async () => {
    for await (const _event of told);
  })();
  await expect(rest).rejects.toThrow();
  await cut;
  expect(performance.now() - revokedAtMs).toBeLessThan(REVOKED_MS_MAX);
  await expect(openai.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await client.dispose();
});
