import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exposedLabelOf, exposedNameOf, METER_TABLE } from '../../src/telemetry/meter-table.ts';
import { raw } from './raw.ts';
import { startService } from './running-server.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs', 'operations.md');

/** The samples of the text format of Prometheus: one value for each name with its labels. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const [, name = '', value = ''] = /^([a-z_][a-z0-9_]*(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

test('/metrics shows what was counted, in the text format of Prometheus', async () => {
  await using service = await startService();
  const before = await raw(service, { method: 'GET', path: '/metrics' });
  expect(before.status).toBe(200);
  expect(before.headers).toMatchObject({
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'cache-control': 'no-store',
  });
  expect(samplesOf(before.text).get('switchyard_holds_expired_total')).toBe(0);
  service.meters.holdsExpired.add(2);
  service.meters.holdsExpired.add(3);
  service.meters.overruns.add(1);
  const samples = samplesOf((await raw(service, { method: 'GET', path: '/metrics?x=1' })).text);
  expect(samples.get('switchyard_holds_expired_total')).toBe(5);
  expect(samples.get('switchyard_overruns_total')).toBe(1);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  expect(samples.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  expect([...samples.keys()]).not.toContain('');
});

test('/metrics says by HEAD that it is there, and by 405 how it is read; / names it', async () => {
  await using service = await startService();
  expect(await raw(service, { method: 'HEAD', path: '/metrics' })).toMatchObject({ status: 200, text: '' });
  const wrong = await raw(service, { method: 'POST', path: '/metrics', body: 'x' });
  expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD']);
  const index = await raw(service, { method: 'GET', path: '/' });
  expect(JSON.parse(index.text)).toMatchObject({ metrics: '/metrics' });
});

test('/metrics is read while the service is not ready, too: that is when it is needed', async () => {
  await using service = await startService();
  service.readiness = { isReady: false, checks: [{ name: 'store', isOk: false, detail: 'connection refused' }] };
  expect((await raw(service, { method: 'GET', path: '/metrics' })).status).toBe(200);
});

test('docs/operations.md explains every meter of ours, once, and counters alone end in _total', async () => {
  await using service = await startService();
  const { text } = await raw(service, { method: 'GET', path: '/metrics' });
  const served = text.matchAll(/^# TYPE (\w+) (\w+)$/gm).filter(([, name = '']) => !/^(process|nodejs)_/.test(name));
  const ours = Object.values(METER_TABLE).map((row) => ({ ...row, name: exposedNameOf(row) }));
  expect(Array.from(served, ([, name, kind]) => ({ name, kind }))).toEqual(
    ours.map(({ name, kind }) => ({ name, kind })),
  );
  for (const { name, kind } of ours) expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter']);
  const told = readFileSync(DOCS, 'utf8').matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| (.*?) \|/gm);
  expect(Array.from(told, ([, ...cells]) => cells)).toEqual(
    ours.map(({ name, kind, labels }) => [
      name,
      kind,
      labels.length === 0 ? '-' : labels.map((label) => `\`${exposedLabelOf(label)}\``).join(' '),
    ]),
  );
});
