import { expect, test } from 'vitest';
import { raw } from './raw.ts';
import { startService } from './running-server.ts';

async function get(service: Awaited<ReturnType<typeof startService>>, path: string) {
  const { status, text } = await raw(service, { method: 'GET', path });
  return { status, body: JSON.parse(text) };
}

test('a process that runs is live, whatever else is wrong', async () => {
  await using service = await startService();
  service.readiness = { isReady: false, checks: [{ name: 'store', isOk: false, detail: 'connection refused' }] };
  for (const path of ['/livez', '/healthz', '/health']) {
    expect(await get(service, path)).toEqual({ status: 200, body: { status: 'live' } });
  }
});

test('readiness is told in a word, and at length when asked', async () => {
  await using service = await startService();
  expect(await get(service, '/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
  expect(await get(service, '/readyz?verbose')).toEqual({
    status: 200,
    body: {
      status: 'ready',
      store: 'memory',
      storeMode: 'normal',
      version: '0.1.0-test',
      checks: [
        { name: 'store', isOk: true, detail: 'memory' },
        { name: 'configuration', isOk: true, detail: 'abc123' },
        { name: 'fleet', isOk: true, detail: '1 replica' },
      ],
    },
  });
  service.readiness = { isReady: false, checks: [{ name: 'store', isOk: false, detail: 'connection refused' }] };
  expect(await get(service, '/readyz')).toEqual({
    status: 503,
    body: { status: 'not ready', reasons: ['store: connection refused'] },
  });
});

test('replicas that disagree stay ready, and say so to whoever asks at length', async () => {
  await using service = await startService();
  const { configHash } = service.gateway.info;
  service.gateway.otherConfigs = [{ configHash: 'def456', replicas: 2 }];
  expect(await get(service, '/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
  const { status, body } = await get(service, '/readyz?verbose');
  expect(status).toBe(200);
  expect(body.checks.at(-1)).toEqual({
    name: 'fleet',
    isOk: true,
    detail: '3 replicas',
    note: `replicas have different configurations: ${configHash} on 1, def456 on 2; this one has ${configHash}`,
  });
});

test('a configuration that is not in force leaves the service ready, and is told to operators only', async () => {
  await using service = await startService();
  service.gateway.fault = 'it has faults: providers.yaml:3:5 providers[0].quality must be from 0 to 1';
  expect(await get(service, '/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
  const { body } = await get(service, '/readyz?verbose');
  expect(body.checks.find(({ name }: { readonly name: string }) => name === 'configuration')).toEqual({
    name: 'configuration',
    isOk: true,
    detail: 'abc123',
    note: `what was written last is not in force: ${service.gateway.fault}`,
  });
});

test('the front door tells what is here', async () => {
  await using service = await startService();
  expect((await get(service, '/')).body).toMatchObject({
    service: 'switchyard',
    controlRoom: '/ in a browser',
    graphql: '/graphql',
    ready: '/readyz?verbose',
  });
});

test('a port that is taken is said in a sentence, not thrown', async () => {
  await using service = await startService();
  const { makeHttpServer } = await import('../../src/http/server.ts');
  const second = makeHttpServer({ ...service.parts, port: service.port });
  expect(await second.listen()).toEqual({
    kind: 'portInUse',
    message: `Another program listens on 127.0.0.1, port ${service.port}. Stop it, or choose another with PORT.`,
  });
  const nowhere = makeHttpServer({ ...service.parts, host: '203.0.113.1' });
  expect(await nowhere.listen()).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('Check HOST and PORT'),
  });
});
