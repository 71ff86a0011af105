import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { YAML } from '../support/registry-yaml.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

const LOOK = '{ gateway { replicas configHash configStale } }';
const CHAT =
  'mutation { chat(input: {prompt: "hello"}) { ... on ChatSuccess { cost { priceListVersion } } ... on ApiError { message } } }';
const LIMITS = '{ providers { key rateLimit { limit } } }';

const CHANGED = YAML.replace('test-1', 'test-2').replace('requestsPerMinute: 60', 'requestsPerMinute: 7');
const BROKEN = YAML.replace('quality: 0.5', 'quality: 5');

interface Look {
  readonly replicas?: number;
  readonly configHash?: string;
  readonly configStale?: boolean;
}

async function gatewayOf(service: Service): Promise<Look> {
  return Object(Object((await service.ask(LOOK)).data).gateway);
}

async function noteOf(service: Service, check: string): Promise<string | null> {
  const { checks } = Object(await (await fetch(`${service.url}/readyz?verbose`)).json());
  return Object(checks.find(({ name }: { readonly name: string }) => name === check)).note ?? null;
}

async function metersOf(service: Service): Promise<string> {
  return (await fetch(`${service.url}/metrics`)).text();
}

async function priceListOf(service: Service): Promise<unknown> {
  return Object((await service.ask(CHAT)).data).chat;
}

async function limitsOf(service: Service): Promise<unknown> {
  return Object((await service.ask(LIMITS)).data).providers;
}

test('a changed registry is in force without a restart, on one replica after the other; a broken one is told and changes nothing', async () => {
  await using database = await makeDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-reload-'));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const files = ['first.yaml', 'second.yaml'].map((name) => join(folder, name));
  const start = async (file: string) => {
    await writeFile(file, YAML);
    return opened.use(await startService({ DATABASE_URL: database.url, SWITCHYARD_CONFIG: file }));
  };
  const [first, second] = [await start(files[0]!), await start(files[1]!)];
  await eventually(async () => (await gatewayOf(first)).replicas === 2 && (await gatewayOf(second)).replicas === 2);
  const { configHash } = await gatewayOf(first);
  expect((await gatewayOf(second)).configHash).toBe(configHash);

  await writeFile(files[0]!, CHANGED);
  first.process.kill('SIGHUP');
  await eventually(async () => (await gatewayOf(first)).configHash !== configHash);
  expect(await priceListOf(first)).toEqual({ cost: { priceListVersion: 'test-2' } });
  expect(await priceListOf(second)).toEqual({ cost: { priceListVersion: 'test-1' } });
  expect(await limitsOf(first)).toContainEqual({ key: 'first', rateLimit: { limit: 7 } });
  for (const service of [first, second]) await eventually(async () => (await noteOf(service, 'fleet')) !== null);

  // Nobody sends a signal: the file is watched.
  await writeFile(`${files[1]}.new`, CHANGED);
  await rename(`${files[1]}.new`, files[1]!);
  await eventually(async () => (await gatewayOf(second)).configHash !== configHash);
  expect((await gatewayOf(second)).configHash).toBe((await gatewayOf(first)).configHash);
  for (const service of [first, second]) await eventually(async () => (await noteOf(service, 'fleet')) === null);

  await writeFile(files[0]!, BROKEN);
  await eventually(async () => (await gatewayOf(first)).configStale === true);
  expect(await noteOf(first, 'configuration')).toContain(
    `${files[0]}:17:18 providers[0].models[0].quality is 5, but must be`,
  );
  const errors = first.logged().filter(({ level }) => level === 'error');
  expect(errors).toMatchObject([{ count: 1, faults: expect.stringContaining(`${files[0]}:17:18`) }]);
  expect(await metersOf(first)).toMatch(/^switchyard_config_stale 1$/m);
  expect(await metersOf(first)).toMatch(/^switchyard_config_reloads_total\{outcome="refused"\} 1$/m);
  expect(await priceListOf(first)).toEqual({ cost: { priceListVersion: 'test-2' } });
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);

  await writeFile(files[0]!, CHANGED);
  await eventually(async () => (await gatewayOf(first)).configStale === false);
  expect(await noteOf(first, 'configuration')).toBeNull();
  expect(await metersOf(first)).toMatch(/^switchyard_config_stale 0$/m);
  first.process.kill('SIGTERM');
  first.process.kill('SIGHUP');
  expect(await first.end('SIGTERM')).toBe(0);
}, 90_000);

test('a reload that is asked for during the start comes after it, and ends nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-early-'));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const env = { STORE: 'embedded', DATA_DIR: join(folder, 'data'), SWITCHYARD_CONFIG: join(folder, 'registry.yaml') };
  await writeFile(env.SWITCHYARD_CONFIG, YAML);
  const service = opened.use(
    await startService(env, [], (said, child) => {
      if (said.includes('making a PostgreSQL')) child.kill('SIGHUP');
    }),
  );
  await eventually(async () => /^switchyard_config_reloads_total\{.*\} [1-9]/m.test(await metersOf(service)));
  expect(await service.end('SIGTERM')).toBe(0);
}, 90_000);
