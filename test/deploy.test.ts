import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../src/config.ts';
import { DEFAULT_REGISTRY_PATH, readRegistry } from '../src/registry/read.ts';
import { SETTINGS } from '../src/settings.ts';
import { buildPageInto } from './support/built-page.ts';
import { createDatabase } from './support/postgres.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('docker-compose.yml', () => {
  const { services, volumes } = parse(read('docker-compose.yml'), { merge: true });
  const { postgres, migrate, switchyard } = services;

  test('is a database, its migration and the gateway, each started when what it needs is there', () => {
    const always = Object.keys(services).filter((name) => services[name].profiles === undefined);
    expect(always).toEqual(['postgres', 'migrate', 'switchyard']);
    expect(migrate.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(switchyard.depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      migrate: { condition: 'service_completed_successfully' },
    });
    expect([migrate.command, migrate.restart, migrate.build]).toEqual([['node', 'src/main.ts', 'migrate'], 'no', '.']);
    expect(existsSync(join(ROOT, migrate.command[1]))).toBe(true);
  });

  test('takes PostgreSQL by its major version, and keeps its data', () => {
    expect(postgres.image).toBe('postgres:18');
    expect(postgres.volumes).toEqual(['postgres:/var/lib/postgresql']);
    expect(volumes).toHaveProperty('postgres');
  });

  test('asks both whether they are well', () => {
    expect(postgres.healthcheck.test.slice(0, 2)).toEqual(['CMD', 'pg_isready']);
    expect(switchyard.healthcheck.test.at(-1)).toContain("fetch('http://127.0.0.1:4000/readyz')");
  });

  test('does not start without a credential for the operator, and says how to make one', () => {
    expect(switchyard.environment).toMatchObject({ AUTH: 'keys', HOST: '0.0.0.0' });
    expect(switchyard.environment.ADMIN_KEY).toMatch(/^\$\{ADMIN_KEY:\?.*openssl rand -hex 32.*\}$/);
  });

  test('publishes one port, to this machine alone', () => {
    expect(switchyard.ports).toEqual(['127.0.0.1:4000:4000']);
    expect([postgres.ports, migrate.ports]).toEqual([undefined, undefined]);
  });

  test('gives what runs the time it may take to finish', () => {
    const drainMs = Number(/DRAIN_MS = ([\d_]+)/.exec(read('src/cli/lifetime.ts'))?.[1]?.replaceAll('_', ''));
    const waitMs = SETTINGS.drainWaitMs.unset;
    // At most 15 s more for stopping the rest and closing: operations, collector, journal.
    const graceMs = Number(/^(\d+)s$/.exec(switchyard.stop_grace_period)?.[1]) * 1_000;
    expect(graceMs).toBeGreaterThanOrEqual(waitMs + drainMs + 15_000);
  });

  test('with the profile `scale` has three replicas that are set alike, behind a proxy', () => {
    const { replica, proxy } = services;
    expect([replica.profiles, proxy.profiles]).toEqual([['scale'], ['scale']]);
    expect(replica.deploy.replicas).toBe(2);
    const { ports: _ports, ...alone } = switchyard;
    const { profiles: _profiles, deploy: _deploy, ...more } = replica;
    expect(more).toEqual(alone);
    const [file, place] = proxy.volumes[0].split(':');
    expect(place).toBe('/usr/local/etc/haproxy/haproxy.cfg');
    const [alias] = switchyard.networks.default.aliases;
    expect(read(file)).toContain(`server-template replica 10 ${alias}:4000 `);
    expect(proxy.ports).toEqual(['127.0.0.1:4080:4000']);
  });

  test('with the profile `obs` has Prometheus, which comes with a key, and Grafana, on this machine alone', () => {
    const { prometheus, grafana } = services;
    expect([prometheus.profiles, grafana.profiles]).toEqual([['obs'], ['obs']]);
    expect([...prometheus.ports, ...grafana.ports]).toEqual(['127.0.0.1:9090:9090', '127.0.0.1:3000:3000']);
    const folders = [...prometheus.volumes, ...grafana.volumes].map((volume: string) => volume.split(':')[0] ?? '');
    const ours = folders.filter((folder) => folder.startsWith('./'));
    expect(ours.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
    const [config] = read('deploy/prometheus/prometheus.yaml').match(/credentials_file: \S+/) ?? [];
    expect(config).toBe(`credentials_file: /run/secrets/${prometheus.secrets[0]}`);
    expect(read('deploy/prometheus/prometheus.yaml')).toContain(switchyard.networks.default.aliases[0]);
  });

  test('names only variables that the service reads', async () => {
    const registry = await readRegistry(DEFAULT_REGISTRY_PATH);
    if (registry.kind !== 'valid') throw new Error('the default registry is not valid');
    const known = new Set([
      ...Object.values(SETTINGS).map((setting) => setting.name),
      ...registry.connections.flatMap(({ apiKeyEnv, baseUrlEnv }) => [apiKeyEnv, baseUrlEnv]),
    ]);
    const named = [migrate, switchyard, services.replica].flatMap(({ environment }) => Object.keys(environment));
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('is understood by the service, with nothing set beside it', () => {
    for (const service of [migrate, switchyard]) {
      const env = { ...imageEnvironment(), ...substituted(service.environment, { ADMIN_KEY }) };
      expect(parseConfig(env)).toMatchObject({ kind: 'valid', config: { store: { kind: 'postgres' } } });
      const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = substituted(postgres.environment);
      expect(env.DATABASE_URL).toBe(`postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`);
    }
  });
});

const ADMIN_KEY = '6f1c9a0be77d4c52a8e3f94b1d06c7a5';

/** As compose does it where the environment has none of the other variables. */
function substituted(
  environment: Readonly<Record<string, string>>,
  set: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const fill = (value: string) =>
    value
      .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
      .replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_all, name: string) => set[name] ?? '');
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(value)]));
}

interface Instruction {
  readonly name: string;
  readonly words: string;
}

const instructions: readonly Instruction[] = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .trim()
  .split(/\n+/)
  .map((line) => ({ name: line.split(' ', 1)[0] ?? '', words: line.slice(line.indexOf(' ') + 1) }));
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));

const wordsOf = (stage: readonly Instruction[], wanted: string) =>
  stage.filter(({ name }) => name === wanted).map(({ words }) => words);

/** What is copied out of the checkout, without what another stage made. */
const copiedIn = (stage: readonly Instruction[]) =>
  wordsOf(stage, 'COPY')
    .filter((words) => !words.startsWith('--from='))
    .flatMap((words) => words.split(' ').slice(0, -1));

function imageEnvironment(): Readonly<Record<string, string>> {
  const pairs = wordsOf(finalStage, 'ENV').flatMap((words) => words.split(' '));
  return Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]));
}

describe('the image', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-image-'));
    for (const path of copiedIn(finalStage)) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    expect(wordsOf(finalStage, 'COPY')).toContain('--from=page /app/dashboard/dist ./dashboard/dist');
    await buildPageInto(join(folder, 'dashboard/dist'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is made in three stages from a slim Node of the major version that the service needs', () => {
    const [, major] = />=(\d+)/.exec(JSON.parse(read('package.json')).engines.node) ?? [];
    expect(wordsOf(instructions, 'FROM')).toEqual([
      `node:${major}-slim AS packages`,
      `node:${major}-slim AS page`,
      `node:${major}-slim`,
    ]);
    expect(wordsOf(instructions, 'RUN')[0]).toBe('npm ci --omit=dev --omit=optional --ignore-scripts');
  });

  test('does not run as root, and is told to stop by SIGTERM without a shell in between', () => {
    expect(wordsOf(finalStage, 'USER')).toEqual(['10001:10001']);
    expect(wordsOf(finalStage, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(wordsOf(finalStage, 'CMD')).toEqual(['["node", "src/main.ts"]']);
    expect(wordsOf(finalStage, 'HEALTHCHECK')[0]).toContain('/livez');
  });

  test('holds these files and no others, and none of them is kept back by .dockerignore', () => {
    expect(copiedIn(finalStage).toSorted()).toEqual(['drizzle', 'package.json', 'src']);
    const taken = new Set([...copiedIn(instructions)]);
    const ignore = read('.dockerignore').match(/^[^#\n].*$/gm) ?? [];
    expect(ignore[0]).toBe('*');
    expect(ignore.slice(1).toSorted()).toEqual([...taken].map((path) => `!${path}`).sort());
    for (const path of taken) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  test('serves those who have a key, and cannot be opened to all', () => {
    expect(parseConfig(imageEnvironment())).toMatchObject({
      kind: 'valid',
      config: { auth: 'keys', isGraphiqlOn: false },
    });
    const opened = { ...imageEnvironment(), AUTH: 'off' };
    expect(parseConfig(opened)).toMatchObject({ kind: 'invalid', faults: [{ name: 'AUTH' }] });
  });

  test('has all that the service needs: it starts, answers and serves its pages from these files alone', async () => {
    const env = {
      ...imageEnvironment(),
      PORT: '0',
      STORE: 'memory',
      ADMIN_KEY,
      GRAPHIQL: 'on',
      DRAIN_WAIT_MS: '0',
    };
    const [, file = ''] = JSON.parse(wordsOf(finalStage, 'CMD')[0] ?? '[]');
    const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
      const port = await portOf(child.stderr);
      const ask = (path: string, accept: string, more = {}) =>
        fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept, ...more } });
      expect(await (await ask('/livez', '*/*')).json()).toEqual({ status: 'live' });
      expect(await (await ask('/', 'text/html')).text()).toContain('<title>Switchyard</title>');
      expect(await (await ask('/graphql', 'text/html')).text()).toMatch(/^<!doctype html>/i);
      const query = '/graphql?query={viewer{scopes}}';
      expect((await ask(query, '*/*')).status).toBe(401);
      expect((await ask(query, '*/*', { authorization: `Bearer ${ADMIN_KEY}` })).status).toBe(200);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });

  test('has all that the migration needs', async () => {
    await using database = await createDatabase(inject('postgresUrl'));
    const env = { ...imageEnvironment(), HOST: '127.0.0.1', DATABASE_URL: database.url };
    const child = spawn(process.execPath, ['src/main.ts', 'migrate'], { cwd: folder, env, stdio: 'ignore' });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });
});

describe('an install', () => {
  test('without the packages for development goes on without the page, and says what is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-install-'));
    try {
      cpSync(join(ROOT, 'dashboard/prepare.mjs'), join(folder, 'prepare.mjs'));
      const child = spawn(process.execPath, ['prepare.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = new Promise((resolve) => child.once('close', resolve));
      let said = '';
      for await (const chunk of child.stdout) said += String(chunk);
      expect(said).toMatch(/not built: the packages for development are left out. "npm ci && npm run build" builds it/);
      expect(await ended).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('builds the page by itself', () => {
    const { scripts } = JSON.parse(read('package.json'));
    expect([scripts.prepare, scripts.build]).toEqual(['node dashboard/prepare.mjs', 'vite build dashboard']);
  });
});

/** The port that the banner names. */
async function portOf(stderr: Readable): Promise<string> {
  let said = '';
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    const port = /running at http:\/\/[\d.]+:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`it did not start: ${said}`);
}
