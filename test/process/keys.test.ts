import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

const COMMAND = join(import.meta.dirname, '../../src/main.ts');

/** Runs `switchyard keys`, its output going to a program. */
function keys(words: string, env: Record<string, string>) {
  return new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const options = { cwd: tmpdir(), env, timeout: 60_000 };
    execFile(process.execPath, [COMMAND, 'keys', ...words.split(' ')], options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** Everything that stands in the tables, as text. */
async function dumpOf(url: string): Promise<string> {
  const sql = postgres(url, { max: 1 });
  try {
    const tables =
      await sql`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname like 'switchyard%'`;
    const dumps = await Promise.all(
      tables.map(({ name }) => sql.unsafe(`select row_to_json(t)::text as row from ${name} t`)),
    );
    return dumps.flatMap((rows) => rows.map(({ row }) => row)).join('\n');
  } finally {
    await sql.end();
  }
}

function filesIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n');
}

test('keys are made, rotated, listed and revoked from a shell; their secrets stand in that one output and nowhere else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-keys-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = cleanup.use(await makeDatabase());
  const env = { DATABASE_URL: database.url, DATA_DIR: folder, LOG_LEVEL: 'debug', STORE_TIMEOUT_MS: '5000' };
  const service: Service = cleanup.use(await startService(env));
  const at = { SWITCHYARD_URL: service.url };

  expect(await keys('list', at)).toEqual({ code: 0, stdout: 'There are no API keys.\n', stderr: '' });
  const made = await keys('create --name search --scopes chat,requests:read --team red --expires 90d --rpm 60', at);
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sy_\w{12}_\w{49}\n$/) });
  const secret = made.stdout.trim();
  const id = `key_${secret.slice(3, 15)}`;
  expect(made.stderr).toBe(`search (${id}) works now.\n`);

  const brief = (await keys('create --name brief', at)).stdout.slice(3, 15);
  await keys(`rotate key_${brief} --overlap 7d`, at);
  const table = (await keys('list', at)).stdout;
  expect(table).toMatch(new RegExp(`^key_${brief} .* works until 20`, 'm'));

  const rotated = await keys(`rotate ${id} --overlap 0`, at);
  expect(rotated.stderr).toContain(`and ${id} until `);
  const next = rotated.stdout.trim();
  const nextId = `key_${next.slice(3, 15)}`;
  const listed = await keys('list --json', at);
  expect(JSON.parse(listed.stdout).filter(({ name }: { name: string }) => name === 'search')).toMatchObject([
    {
      id: nextId,
      name: 'search',
      scopes: ['chat', 'requests:read'],
      teamId: 'red',
      requestsPerMinute: 60,
      revokedAt: null,
    },
    { id, revokedAt: expect.any(String) },
  ]);
  expect((await keys('list', at)).stdout).toMatch(
    new RegExp(`^${nextId} +search +chat,requests:read +itself, team red +never +20`, 'm'),
  );
  expect(await keys(`revoke ${nextId}`, at)).toEqual({
    code: 0,
    stdout: `search (${nextId}) works no more.\n`,
    stderr: '',
  });

  const again = await keys(`rotate ${nextId}`, at);
  expect(again).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('apiKeyId: this key works no more'),
  });
  await service.ask('mutation { chat(input: {prompt: "hello"}) { __typename } }');
  const dump = await dumpOf(database.url);
  expect(dump).toContain('"act":"rotateApiKey"');
  const logs = JSON.stringify(service.logged()) + service.said();
  for (const text of [dump, logs, filesIn(folder), listed.stdout]) {
    for (const key of [secret, next]) expect(text.includes(key.slice(16))).toBe(false);
  }
}, 120_000);

/** Opens a socket with a secret; `closed` is the code by which it ends. */
async function connect(url: string, secret: string): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const acknowledged = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  socket.addEventListener('open', () => {
    const payload = { Authorization: `Bearer ${secret}` };
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
  });
  socket.addEventListener('message', () => acknowledged.resolve());
  socket.addEventListener('close', ({ code }) => {
    acknowledged.reject(new Error(`closed by ${code}`));
    closed.resolve(code);
  });
  await acknowledged.promise;
  return { closed: closed.promise };
}

/** The status of a question that comes with a secret. */
async function statusOf(url: string, secret: string): Promise<number> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: JSON.stringify({ query: '{ viewer { apiKey { id } } }' }),
  });
  return response.status;
}

test('a key that is made at one replica works at the other; revoked there, it and its socket here end within five seconds', async () => {
  await using database = await makeDatabase();
  const ADMIN_KEY = randomBytes(32).toString('hex');
  const env = { DATABASE_URL: database.url, AUTH: 'keys', ADMIN_KEY };
  await using here = await startService(env);
  await using there = await startService(env);
  const at = { SWITCHYARD_URL: there.url, ADMIN_KEY };
  const nobody = await keys('list', { SWITCHYARD_URL: there.url });
  expect(nobody).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('API key') });

  const secret = (await keys('create --name shared --scopes keys:admin', at)).stdout.trim();
  expect(await statusOf(here.url, secret)).toBe(200);
  const beyond = await keys('create --name more --scopes admin', { SWITCHYARD_URL: here.url, SWITCHYARD_KEY: secret });
  expect(beyond).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('nobody can give away more') });

  const { closed } = await connect(here.url, secret);
  const revoked = await keys(`revoke ${secret.slice(0, 15)}`, at);
  expect(revoked.code).toBe(0);
  const toldAt = performance.now();
  expect(await closed).toBe(4403);
  await eventually(async () => (await statusOf(here.url, secret)) === 401);
  expect(performance.now() - toldAt).toBeLessThan(5_000);
}, 120_000);

test('a command that cannot be understood ends with 2, one that the gateway cannot be reached for with 1', async () => {
  const nowhere = { SWITCHYARD_URL: 'http://127.0.0.1:9' };
  expect(await keys('destroy', nowhere)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^There is no command "destroy"\.\n\n.*switchyard keys list/s),
  });
  expect(await keys('--help', {})).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('rotate ID') });
  const unreached = await keys('list', nowhere);
  expect(unreached).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('SWITCHYARD_URL says where'),
  });
  const faulty = await keys('list', { SWITCHYARD_URL: 'not a url', ADMIN_KEY: 'with "quotes"' });
  expect(faulty).toMatchObject({ code: 78, stdout: '' });
  expect(faulty.stderr).toMatch(/^SWITCHYARD_URL .*\nADMIN_KEY \(its value is not shown\)/);
}, 120_000);
