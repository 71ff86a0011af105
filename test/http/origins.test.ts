import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { raw } from './raw.ts';
import { type Service, startService } from './running-server.ts';

const APP = 'https://app.example.com';
const BODY = JSON.stringify({ query: '{ viewer { scopes } }' });
const json = { 'content-type': 'application/json' };

const allowing = () => startService({ allowedOrigins: [APP] });

function corsOf(headers: object) {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-allow-'));
}

function statusOf({ port }: Service, origin: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { origin });
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.once('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('error', () => {});
  });
}

test('a page of an origin that was named may call, and read what it is answered', async () => {
  await using service = await allowing();
  for (const path of ['/graphql', '/v1/chat/completions', '/v1/models']) {
    const asked = {
      origin: APP,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const preflight = await raw(service, { method: 'OPTIONS', path, headers: asked });
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': APP,
        'access-control-allow-headers': 'authorization, *',
        vary: 'origin',
      },
    });
    expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials');
  }
  const answer = await raw(service, { headers: { ...json, origin: APP }, body: BODY });
  expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': APP, vary: 'origin' } });
  expect(await statusOf(service, APP)).toBe(101);
});

test('a preflight needs no credential, and what follows it does', async () => {
  await using service = await startService({ auth: 'keys', allowedOrigins: [APP] });
  const asked = { origin: APP, 'access-control-request-method': 'POST' };
  expect((await raw(service, { method: 'OPTIONS', headers: asked })).status).toBe(204);
  const refused = await raw(service, { headers: { ...json, origin: APP }, body: BODY });
  expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': APP } });
});

test.each(['https://evil.example', `${APP}.evil.example`, 'http://app.example.com', `${APP}:8443`, 'null'])(
  'a page of %s is not told that it may',
  async (origin) => {
    await using service = await allowing();
    const asked = { origin, 'access-control-request-method': 'POST' };
    const preflight = await raw(service, { method: 'OPTIONS', headers: asked });
    const answer = await raw(service, { headers: { ...json, origin }, body: BODY });
    expect([corsOf(preflight.headers), corsOf(answer.headers)]).toEqual([[], []]);
    expect([answer.status, await statusOf(service, origin)]).toEqual([403, 403]);
  },
);

test('while no origin is named, nothing is said to any', async () => {
  await using service = await startService();
  const asked = { origin: APP, 'access-control-request-method': 'POST' };
  const preflight = await raw(service, { method: 'OPTIONS', headers: asked });
  expect([preflight.status, corsOf(preflight.headers)]).toEqual([403, []]);
  for (const path of ['/metrics', '/readyz', '/']) {
    expect(corsOf((await raw(service, { method: 'GET', path, headers: { origin: APP } })).headers)).toEqual([]);
  }
});

test('a link in a page of another site still opens GraphiQL, and its own page may call', async () => {
  await using service = await startService();
  const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const page = await raw(service, { method: 'GET', headers: { ...followed, accept: 'text/html' } });
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  const own = { ...json, origin: service.url, 'sec-fetch-site': 'same-origin' };
  expect((await raw(service, { headers: own, body: BODY })).status).toBe(200);
});
