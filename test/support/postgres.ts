import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbeddedServer } from '../../src/store/embedded/server.ts';
import { takeFolder } from '../../src/store/folder-lock.ts';

/** A PostgreSQL 18 server that forgets everything with its folder. */
export interface TestServer extends AsyncDisposable {
  /** Of the superuser and the database `postgres`: for `createDatabase`. */
  readonly url: string;
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
}

const FOLDER_PREFIX = 'switchyard-test-server-';
const CONNECT_TIMEOUT_S = 10;
const MEMORY_DISK = '/dev/shm';
const MEMORY_DISK_BYTES_MIN = 2_000_000_000;
const LEFT_OVER_AFTER_MS = 60_000;

export async function startTestServer(): Promise<TestServer> {
  const place = await findScratchPlace();
  await removeLeftOvers(place);
  const dataDir = await mkdtemp(join(place, FOLDER_PREFIX));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const start = await startEmbeddedServer({ dataDir, durability: 'none', note: () => undefined });
  if (start.kind !== 'started') throw new Error(`no PostgreSQL for the tests (${start.kind}): ${start.reason}`);
  opened.use(start.server);
  const kept = opened.move();
  return { url: start.server.url, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/**
 * Where databases are quickest made: in memory where there is plenty. ext4 is ten times slower at making files when many
 * have just been deleted, as between two runs of the tests.
 */
export async function findScratchPlace(): Promise<string> {
  const disk = await statfs(MEMORY_DISK).catch(() => null);
  return disk !== null && disk.bavail * disk.bsize >= MEMORY_DISK_BYTES_MIN ? MEMORY_DISK : tmpdir();
}

/** Removes the folders of runs that were killed before they could. */
async function removeLeftOvers(place: string): Promise<void> {
  for (const name of (await readdir(place)).filter((entry) => entry.startsWith(FOLDER_PREFIX))) {
    const folder = join(place, name);
    const madeAt = await stat(folder).catch(() => null);
    if (madeAt === null || Date.now() - madeAt.mtimeMs < LEFT_OVER_AFTER_MS) continue;
    const taken = takeFolder(folder);
    if (taken.kind === 'taken') continue;
    await rm(folder, { recursive: true, force: true });
    taken.lock[Symbol.dispose]();
  }
}

/**
 * Makes a database and drops it when disposed, cutting the sessions left in it. With a template it is a copy of that
 * database, to which nobody may be connected: migrate one, close its connections, then clone it for every test file.
 */
export async function createDatabase(adminUrl: string, template = 'template1'): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  // Copying the files is twice as quick as copying through the log, on a server that need not survive a crash.
  await asAdmin(adminUrl, (sql) => sql`create database ${sql(name)} template ${sql(template)} strategy file_copy`);
  const url = new URL(adminUrl);
  url.pathname = name;
  const drop = async (): Promise<void> => {
    await asAdmin(adminUrl, (sql) => sql`drop database if exists ${sql(name)} with (force)`);
  };
  return { url: url.href, name, [Symbol.asyncDispose]: drop };
}

async function asAdmin(url: string, act: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: CONNECT_TIMEOUT_S, onnotice: () => undefined });
  try {
    await act(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
