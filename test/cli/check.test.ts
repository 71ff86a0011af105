import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase } from '../support/postgres.ts';
import { runCommand } from '../support/run-command.ts';
import { makeDatabase } from '../support/store-database.ts';
import { BROKEN, DOUBTFUL, type Env, type Place } from './broken-setups.ts';

const BAD_REGISTRY = 'priceListVersion: test\nproviders: []\nextra: 1\n';

let folder = '';
let bad = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-check-'));
  bad = join(folder, 'bad.yaml');
  await writeFile(bad, BAD_REGISTRY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('check --offline', () => {
  test('looks at the environment and the default registry', async () => {
    const { code, stdout, stderr } = await runCommand(['check', '--offline'], { env: { GROQ_API_KEY: 'gsk-1' } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('default.yaml: valid, price list seed-2025-11');
    expect(stdout).toMatch(/^openai +openai +gpt-5\.1 +20\.00 +20\.00 +100 +mock, as OPENAI_API_KEY is unset$/m);
    expect(stdout).toMatch(/^groq .* https:\/\/api\.groq\.com\/openai\/v1$/m);
    expect(stdout).not.toContain('gsk-1');
  });

  test('tells the faults of the environment and of the registry in one go', async () => {
    const env = { PORT: 'x', OPENAI_API_KEY: 'a b', SWITCHYARD_CONFIG: bad };
    const { code, stdout } = await runCommand(['check', '--offline'], { env });
    expect(code).toBe(78);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^fault +settings +environment: OPENAI_API_KEY/),
      expect.stringContaining('environment: PORT is "x"'),
      expect.stringContaining('bad.yaml:2:12 providers is an empty list'),
      expect.stringContaining('bad.yaml:3:1 extra is no field of the registry: remove or rename it'),
      '',
      '4 to mend',
      '',
    ]);
  });

  test('of a file looks at that file alone', async () => {
    const { code, stdout } = await runCommand(['check', bad], { env: { PORT: 'x' } });
    expect(code).toBe(78);
    expect(stdout).toMatch(/bad\.yaml:2:12 .*\n.*bad\.yaml:3:1 /);
    expect(stdout).not.toContain('PORT');
  });

  test('speaks to programs with --json', async () => {
    const good = await runCommand(['check', '--offline', '--json']);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({
      isValid: true,
      priceListVersion: 'seed-2025-11',
      models: [{ provider: 'openai', model: 'gpt-5.1', inputUsdPerMillion: '20.00' }, {}, {}, {}],
      faults: [],
      findings: [],
    });
    const wrong = await runCommand(['check', '--json', bad]);
    expect(wrong.code).toBe(78);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      isValid: false,
      faults: [
        { source: 'registry', file: bad, line: 2, column: 12, path: 'providers' },
        { source: 'registry', file: bad, line: 3, column: 1, path: 'extra' },
      ],
    });
  });
});

/** A provider that says the same to everybody. */
function openProvider(status: number, body: unknown): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe('check', () => {
  const stack = new AsyncDisposableStack();
  let place: Place;

  beforeAll(async () => {
    const servers = {
      refusing: await openProvider(401, {}),
      chatting: await openProvider(403, { error: { message: 'Missing scopes: api.model.read' } }),
      strange: await openProvider(422, {}),
      gateway: await openProvider(200, { status: 'live' }),
      empty: await openProvider(404, {}),
      failing: await openProvider(503, {}),
      listing: await openProvider(200, { data: [{ id: 'gpt-9' }] }),
    };
    for (const server of Object.values(servers)) stack.defer(() => void server.close());
    const gone = await openProvider(200, {});
    const nothing = portOf(gone);
    await new Promise((resolve) => gone.close(resolve));
    const blank = stack.use(await createDatabase(inject('postgresUrl')));
    const old = stack.use(await makeDatabase());
    const sql = postgres(old.url, { max: 1 });
    await sql`delete from switchyard_migrations.applied where created_at = (select max(created_at) from switchyard_migrations.applied)`;
    await sql.end();
    place = {
      url: (name) => {
        if (name === 'blank') return blank.url;
        if (name === 'old') return old.url;
        return name === 'nothing'
          ? `postgres://127.0.0.1:${nothing}/x`
          : `http://127.0.0.1:${portOf(servers[name])}/v1`;
      },
      async registry(text) {
        const path = join(folder, 'registry.yaml');
        await writeFile(path, text);
        return path;
      },
      port: portOf(servers.refusing),
      gatewayPort: portOf(servers.gateway),
    };
  });
  afterAll(() => stack.disposeAsync());

  const check = async (env: Env) => runCommand(['check'], { env: { PORT: '0', STORE: 'memory', ...env } });
  const withoutStore = ({ DATABASE_URL, ...env }: Env): Env =>
    DATABASE_URL === undefined ? env : { ...env, DATABASE_URL, STORE: 'postgres', DATA_DIR: folder };

  test.each(BROKEN)('finds %s, and says where and how to mend it', async (_name, set, told, code) => {
    const ended = await check(withoutStore(await set(place)));
    expect(ended.stdout).toMatch(told);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code, stderr: '' });
    expect(ended.stdout).toMatch(/^1 to mend$/m);
  });

  test.each(DOUBTFUL)('warns of %s, which is no fault', async (_name, set, told) => {
    const { code, stdout } = await check(await set(place));
    expect(stdout).toMatch(told);
    expect(code).toBe(0);
  });

  test('says ok of all that is well, also to programs, and never shows a key', async () => {
    await using database = await makeDatabase();
    const env = {
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      OPENAI_API_KEY: 'sk-mine',
      OPENAI_BASE_URL: place.url('listing'),
    };
    const { code, stdout } = await runCommand(['check', '--json'], { env });
    expect(code).toBe(0);
    expect(stdout).not.toContain('sk-mine');
    const { isValid, findings } = JSON.parse(stdout);
    expect(isValid).toBe(true);
    const parts = findings
      .filter(({ state }: { state: string }) => state === 'ok')
      .map(({ part }: { part: string }) => part);
    expect(new Set(parts)).toEqual(new Set(['database', 'clock', 'provider', 'disk', 'port', 'access']));
  });
});
