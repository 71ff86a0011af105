import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bare, raw } from './raw.ts';
import { type Service, startService } from './running-server.ts';

const BODY = JSON.stringify({ query: '{ viewer { scopes } }' });
const json = { 'content-type': 'application/json' };

/** What a page of a name that was made to lead here would send: to its browser it is of one origin with the service. */
const asPageOf = (host: string) => ({ ...json, host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' });

function socketStatus({ port }: Service, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { headers });
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.once('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('error', () => {});
  });
}

describe('a service that asks for no keys', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ allowedOrigins: ['https://gateway.example.com', 'http://192.0.2.7:5173'] });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  test.each([
    'localhost',
    'localhost:4000',
    'LocalHost:4000',
    'localhost.:4000',
    'app.localhost:4000',
    '127.0.0.1',
    '127.8.8.8:80',
    '[::1]',
    '[0:0:0:0:0:0:0:1]:4000',
    'gateway.example.com',
    'Gateway.Example.com:8443',
    '192.0.2.7:5173',
  ])('is called as %s', async (host) => {
    expect(await raw(service, { headers: asPageOf(host), body: BODY })).toMatchObject({ status: 200 });
    expect(await socketStatus(service, { host })).toBe(101);
  });

  test.each([
    'rebound.example',
    'rebound.example:4000',
    'localhost.rebound.example',
    'evillocalhost',
    '127.0.0.1.rebound.example',
    '127.0.0.1.nip.io:4000',
    'evil.gateway.example.com',
    'gateway.example.com.evil.example',
    '192.168.0.10:4000',
    '0.0.0.0:4000',
    '[::]:4000',
    '[::ffff:10.0.0.1]',
    'localhost@rebound.example',
    'rebound.example@localhost',
    'rebound.example#localhost',
    'localhost:rebound.example',
  ])('is not called as %s, at no door', async (host) => {
    const headers = asPageOf(host);
    const refused = { status: 421, text: expect.stringMatching(/ALLOWED_ORIGINS.*MISDIRECTED/) };
    expect(await raw(service, { headers, body: BODY })).toMatchObject(refused);
    expect(await raw(service, { method: 'GET', headers })).toMatchObject(refused);
    for (const path of ['/', '/metrics', '/nowhere']) {
      expect(await raw(service, { method: 'GET', path, headers })).toMatchObject(refused);
    }
    expect(await socketStatus(service, headers)).toBe(421);
  });

  test.each([
    ['forwarded', 'for=203.0.113.7'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-host', 'localhost'],
    ['x-real-ip', '127.0.0.1'],
    ['via', '1.1 proxy'],
  ])('is not called through a proxy that says so by %s, at no door', async (header, value) => {
    const headers = { ...json, [header]: value };
    const refused = { status: 421, text: expect.stringMatching(/AUTH=keys/) };
    expect(await raw(service, { headers, body: BODY })).toMatchObject(refused);
    expect(await raw(service, { path: '/v1/chat/completions', headers, body: '{}' })).toMatchObject(refused);
    expect(await socketStatus(service, headers)).toBe(421);
    expect(await raw(service, { method: 'GET', path: '/readyz', headers })).toMatchObject({ status: 200 });
  });

  test('over REST says so as its clients read it, and that they need not try again', async () => {
    const headers = asPageOf('rebound.example');
    const { status, headers: told, text } = await raw(service, { path: '/v1/chat/completions', headers, body: '{}' });
    expect([status, told['x-should-retry']]).toEqual([421, 'false']);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'misdirected',
      type: 'invalid_request_error',
      message: expect.stringContaining('ALLOWED_ORIGINS'),
    });
  });

  test('is not called without a name either', async () => {
    expect(await bare(service, 'GET /graphql HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
    const empty = 'GET /graphql HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n';
    expect(await bare(service, empty)).toMatch(/^HTTP\/1\.1 421 /);
    expect(await bare(service, 'GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('tells every probe whether it works, and details only to those who call it by its own name', async () => {
    const headers = { host: 'rebound.example' };
    for (const path of ['/livez', '/healthz', '/health', '/readyz']) {
      expect(await raw(service, { method: 'GET', path, headers })).toMatchObject({ status: 200 });
    }
    const verbose = { method: 'GET', path: '/readyz?verbose' };
    expect(JSON.parse((await raw(service, { ...verbose, headers })).text)).toEqual({ status: 'ready' });
    expect(JSON.parse((await raw(service, verbose)).text)).toHaveProperty('version');
  });
});

test('where keys are needed a service is called by any name, for no page has one to send', async () => {
  await using service = await startService({ auth: 'keys' });
  const proxied = { ...asPageOf('gateway.internal'), 'x-forwarded-for': '203.0.113.7', via: '1.1 proxy' };
  expect(await raw(service, { headers: proxied, body: BODY })).toMatchObject({ status: 401 });
});
