import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

const LOOK = '{ gateway { replicas configHash } }';

async function gatewayOf(service: Service): Promise<{ readonly replicas?: number; readonly configHash?: string }> {
  return Object(Object((await service.ask(LOOK)).data).gateway);
}

async function fleetCheckOf(service: Service): Promise<{ readonly isOk?: boolean; readonly note?: string }> {
  const { checks } = Object(await (await fetch(`${service.url}/readyz?verbose`)).json());
  return Object(checks.find(({ name }: { readonly name: string }) => name === 'fleet'));
}

async function meterOf(service: Service, name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

function warningsOf(service: Service) {
  return service.logged().filter(({ level, msg }) => level === 'warn' && String(msg).includes('configurations'));
}

test('replicas on one database count one another, say when they disagree, and forget the one that stops', async () => {
  await using database = await makeDatabase();
  await using first = await startService({ DATABASE_URL: database.url });
  expect(await gatewayOf(first)).toMatchObject({ replicas: 1 });
  await using second = await startService({ DATABASE_URL: database.url, BUDGET_DEFAULT_USD: '2.00' });
  const replicas = [first, second];
  await eventually(async () => (await gatewayOf(first)).replicas === 2 && (await gatewayOf(second)).replicas === 2);
  const hashes = await Promise.all(replicas.map(async (service) => (await gatewayOf(service)).configHash));
  expect(new Set(hashes).size).toBe(2);
  for (const service of replicas) {
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    const { isOk, note } = await fleetCheckOf(service);
    expect(isOk).toBe(true);
    for (const hash of hashes) expect(note).toContain(`${hash} on 1`);
    await eventually(() => warningsOf(service).length === 1);
    expect(await meterOf(service, 'switchyard_replicas')).toBe(2);
    expect(await meterOf(service, 'switchyard_store_up')).toBe(1);
  }
  expect(await second.end('SIGTERM')).toBe(0);
  await eventually(async () => (await gatewayOf(first)).replicas === 1);
  expect(await fleetCheckOf(first)).toEqual({ name: 'fleet', isOk: true, detail: '1 replica' });
  expect(warningsOf(first)).toHaveLength(1);
}, 90_000);
