import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { KEY_A } from '../fakes/credentials.ts';
import { raw } from './raw.ts';
import { ask, type Service, startService } from './running-server.ts';

const CHAT = 'mutation Ask($input: ChatInput!) { chat(input: $input) { ... on ChatSuccess { content } } }';
const VIEWER = '{ viewer { scopes } }';
const BODY = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] });

const closed = () => startService({ auth: 'keys', isGraphiqlOn: false });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const json = { 'content-type': 'application/json' };

async function completions(service: Service, headers: Record<string, string>, body = BODY) {
  const answer = await raw(service, { path: '/v1/chat/completions', headers: { ...json, ...headers }, body });
  return { ...answer, body: JSON.parse(answer.text) };
}

test('who comes without a credential is told to bring one, at every door, and nothing is run', async () => {
  await using service = await closed();
  const refused = await ask(service, CHAT, { input: { prompt: 'hi' } });
  expect(refused).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  for (const [method, path] of [
    ['GET', '/graphql?query={viewer{scopes}}'],
    ['GET', '/v1/models'],
    ['POST', '/v1/embeddings'],
    ['DELETE', '/v1/chat/completions'],
    ['POST', '/chat/completions'],
    ['GET', '/metrics'],
  ] as const) {
    const answer = await raw(service, { method, path, headers: json });
    expect([path, answer.status, answer.headers['www-authenticate']]).toEqual([path, 401, 'Bearer']);
    expect(answer.text).toContain('Authorization: Bearer KEY');
  }
  expect(service.gateway.records).toEqual([]);
});

test('what nobody sends is not read', async () => {
  await using service = await closed();
  const answer = await raw(service, {
    headers: { ...json, 'content-length': '900000' },
    send: (body) => void body.write('{'),
  });
  expect(answer.status).toBe(401);
});

test('a credential that does not work is refused without a word on why, and the log counts the reasons once a second', async () => {
  await using service = await closed();
  service.gateway.credentials.give({ id: KEY_A });
  service.gateway.credentials.end(KEY_A);
  const headers = [bearer('sy_nobody_secret'), bearer(`sy_${KEY_A}_secret`)];
  const texts = new Set<string>();
  for (const header of headers) texts.add((await raw(service, { headers: { ...json, ...header }, body: '{}' })).text);
  expect([...texts]).toEqual([expect.stringContaining('mistyped, unknown, expired or revoked')]);
  for (const authorization of ['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer two words', `Bearer ${'x'.repeat(5_000)}`]) {
    const answer = await raw(service, { headers: { ...json, authorization }, body: '{}' });
    expect([authorization.slice(0, 20), answer.status]).toEqual([authorization.slice(0, 20), 401]);
  }
  await expect
    .poll(() => service.log.filter((line) => line.level === 'warn'), { timeout: 5_000 })
    .toMatchObject([{ unknown: 1, revoked: 1, malformed: 4 }]);
  expect(JSON.stringify(service.log)).not.toMatch(/sy_|dXNlcjpwYXNz/);
  expect(await service.parts.metrics.read()).toContain('switchyard_authentication_failures_total 6');
});

test('who has a key is let in as the caller that it stands for, over GraphQL and REST', async () => {
  await using service = await closed();
  const secret = service.gateway.credentials.give({ id: KEY_A, userId: 'ann' });
  const callers: unknown[] = [];
  const { onChat } = service.gateway;
  service.gateway.onChat = (call) => {
    callers.push(call.caller);
    return onChat(call);
  };
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    const headers = { authorization: `${scheme} ${secret}` };
    expect((await ask(service, CHAT, { input: { prompt: 'hi' } }, { headers })).data?.chat).toBeTruthy();
  }
  expect((await completions(service, bearer(secret))).status).toBe(200);
  const { onStream } = service.gateway;
  service.gateway.onStream = (call) => {
    callers.push(call.caller);
    return onStream(call);
  };
  await completions(service, bearer(secret), JSON.stringify({ ...JSON.parse(BODY), stream: true })).catch(() => null);
  expect(callers).toHaveLength(5);
  for (const caller of callers) expect(caller).toMatchObject({ kind: 'key', key: { id: KEY_A, userId: 'ann' } });
});

test('while authentication is off, whatever is sent as a credential is not looked at', async () => {
  await using service = await startService();
  service.gateway.credentials.fault = new Error('nobody may ask');
  expect((await ask(service, VIEWER, {}, { headers: bearer('sk-of-openai') })).errors).toEqual([]);
  expect((await completions(service, bearer('unused'))).status).toBe(200);
});

test('while nobody can tell who comes, they are told to come again', async () => {
  await using service = await closed();
  service.gateway.credentials.fault = new StoreUnavailable('ECONNREFUSED db:5432');
  const answer = await ask(service, VIEWER, {}, { headers: bearer('sy_a') });
  expect(answer).toMatchObject({
    status: 503,
    errors: [{ extensions: { code: 'STORE_UNAVAILABLE', retryable: true, retryAfterMs: 1_000 } }],
  });
  expect(answer.headers.get('retry-after')).toBe('1');
  const rest = await completions(service, bearer('sy_a'));
  expect([rest.status, rest.headers['x-should-retry'], rest.body.error.code]).toEqual([
    503,
    'true',
    'store_unavailable',
  ]);
  expect(rest.text).not.toContain('db:5432');
  service.gateway.credentials.fault = new TypeError('a secret');
  expect(await ask(service, VIEWER, {}, { headers: bearer('sy_a') })).toMatchObject({ status: 500 });
});

test('a key without the scope chat has no chats over REST, but sees the models', async () => {
  await using service = await closed();
  const headers = bearer(service.gateway.credentials.give({ id: KEY_A, scopes: ['requests:read'] }));
  const refused = await completions(service, headers);
  expect(refused).toMatchObject({ status: 403, body: { error: { code: 'forbidden', type: 'invalid_request_error' } } });
  expect(refused.body.error.message).toContain('scope chat');
  expect((await raw(service, { method: 'GET', path: '/v1/models', headers })).status).toBe(200);
  expect(service.gateway.records).toEqual([]);
});

test('userId counts only where the key may bill it: GraphQL refuses, REST leaves it out and says so', async () => {
  await using service = await closed();
  const { credentials } = service.gateway;
  const input = { prompt: 'hi', userId: 'bob' };
  const own = { headers: bearer(credentials.give({ id: KEY_A, userId: 'ann' })) };
  const refused = await ask(service, CHAT, { input }, own);
  expect(refused.errors).toMatchObject([
    { message: expect.stringContaining('chat:on-behalf-of'), extensions: { code: 'FORBIDDEN' } },
  ]);
  expect(service.gateway.records).toEqual([]);
  expect((await ask(service, CHAT, { input: { ...input, userId: 'ann' } }, own)).errors).toEqual([]);

  const calls: unknown[] = [];
  const { onChat } = service.gateway;
  service.gateway.onChat = (call) => {
    calls.push(call.request.userId);
    return onChat(call);
  };
  const body = JSON.stringify({ ...JSON.parse(BODY), user: 'bob' });
  const left = await completions(service, own.headers, body);
  expect(left.body.warnings).toContainEqual(expect.stringContaining('user was left out'));
  const admin = bearer(credentials.giveAdmin());
  expect((await completions(service, admin, body)).body.warnings).toEqual(['seed was ignored']);
  expect(calls).toEqual([null, 'bob']);
});

test('meters are for keys that may read them, details of readiness for the operator, and health for everybody', async () => {
  await using service = await closed();
  const { credentials } = service.gateway;
  const get = (path: string, headers: Record<string, string> = {}) => raw(service, { method: 'GET', path, headers });
  const chatter = bearer(credentials.give({ id: KEY_A }));
  const admin = bearer(credentials.giveAdmin());
  expect(await get('/metrics', chatter)).toMatchObject({ status: 403, text: expect.stringContaining('metrics:read') });
  expect(await get('/metrics', admin)).toMatchObject({ status: 200 });
  service.readiness = { isReady: false, checks: [{ name: 'store', isOk: false, detail: 'db:5432 is away' }] };
  for (const headers of [{}, chatter, bearer('sy_wrong')]) {
    const { status, text } = await get('/readyz?verbose', headers);
    expect([status, JSON.parse(text)]).toEqual([503, { status: 'not ready', reasons: ['store'] }]);
  }
  expect((await get('/readyz?verbose', admin)).text).toContain('db:5432 is away');
  expect((await get('/livez')).status).toBe(200);
  expect((await get('/')).text).not.toContain('version');
});

test('GraphiQL is not served where it is off', async () => {
  await using service = await closed();
  const answer = await raw(service, { method: 'GET', headers: { accept: 'text/html' } });
  expect(answer).toMatchObject({ status: 404, text: expect.stringContaining('GRAPHIQL=on') });
});

test('GraphiQL that is switched on subscribes by what can carry the key of its Headers', async () => {
  await using service = await startService({ auth: 'keys', isGraphiqlOn: true });
  const answer = await raw(service, { method: 'GET', headers: { accept: 'text/html' } });
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('"subscriptionsProtocol":"SSE"');
});
