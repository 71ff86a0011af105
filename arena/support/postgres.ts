import { join } from 'node:path';
import postgres from 'postgres';
import { readPostmaster } from '../../src/store/embedded/postmaster.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/store/embedded/server.ts';
import { migrateDatabase } from '../../src/store/postgres/migrate.ts';
import { type DatabaseClock, installClock } from './database-clock.ts';
import { mutate } from './mutation.ts';
import type { Scratch } from './scratch.ts';

/** A real PostgreSQL 18 with every commit on disk, in a folder of the run, that can be stopped and started again. */
export interface PostgresServer extends AsyncDisposable {
  /** Where it listens now. Another one after each start: whoever must not notice dials a proxy. */
  readonly port: number;
  /** A migrated database of its own for one experiment. */
  makeDatabase(): Promise<ArenaDatabase>;
  /** `fast` cuts the sessions and writes everything; `immediate` is a crash: the next start recovers from the log. */
  stop(how: 'fast' | 'immediate'): Promise<void>;
  /** Starts it on the same folder. */
  start(): Promise<void>;
}

export interface ArenaDatabase {
  readonly name: string;
  /** For the experiment itself: never through a proxy, and good again after a restart. */
  readonly sql: postgres.Sql;
  /** For replicas. Through `port` when it is given, such as a proxy's. */
  urlVia(port?: number): string;
  /** Lets the experiment move `switchyard.clock()`. */
  makeClock(): Promise<DatabaseClock>;
}

const TEMPLATE = 'arena_template';
const CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_S = 10;

export interface ServerOptions {
  readonly scratch: Scratch;
  /** SQL that replaces functions of every database made here. Null: none, as in production. */
  readonly mutation: string | null;
}

export async function startPostgres({ scratch, mutation }: ServerOptions): Promise<PostgresServer> {
  const dataDir = await scratch.makeFolder('postgres');
  const databases: OpenDatabase[] = [];
  let running = await launch(dataDir, scratch);
  let made = 0;
  let template: Promise<void> | null = null;

  const makeTemplate = async () => {
    await asAdmin(running.url, (sql) => sql`create database ${sql(TEMPLATE)}`);
    const url = urlOf(running, TEMPLATE);
    await migrateDatabase(url);
    if (mutation !== null) await asAdmin(url, (sql) => mutate(sql, mutation));
  };
  const stop = async (how: 'fast' | 'immediate') => {
    for (const database of databases) await database.disconnect();
    if (how === 'immediate') {
      process.kill(running.pid, 'SIGQUIT');
      await running.server.ended;
    }
    // Also gives the folder back after a crash.
    await running.server.stop();
    scratch.keeper.forget(running.pid);
  };
  return {
    get port() {
      return running.port;
    },
    async makeDatabase() {
      template ??= makeTemplate();
      await template;
      made += 1;
      const name = `arena_${made}`;
      await asAdmin(running.url, (sql) => sql`create database ${sql(name)} template ${sql(TEMPLATE)}`);
      const database = openDatabase(name, () => running);
      databases.push(database);
      return database;
    },
    stop,
    async start() {
      running = await launch(dataDir, scratch);
    },
    [Symbol.asyncDispose]: () => stop('fast'),
  };
}

interface Running {
  readonly server: EmbeddedServer;
  readonly url: string;
  readonly port: number;
  readonly pid: number;
}

async function launch(dataDir: string, { keeper }: Scratch): Promise<Running> {
  const start = await startEmbeddedServer({ dataDir, note: () => undefined });
  if (start.kind !== 'started') throw new Error(`no PostgreSQL for the arena (${start.kind}): ${start.reason}`);
  const { server } = start;
  const postmaster = await readPostmaster(join(dataDir, 'postgres'));
  if (postmaster === null) throw new Error('PostgreSQL runs but says nothing of its process');
  keeper.watch(postmaster.pid, 'QUIT');
  return { server, url: server.url, port: Number(new URL(server.url).port), pid: postmaster.pid };
}

interface OpenDatabase extends ArenaDatabase {
  disconnect(): Promise<void>;
}

function openDatabase(name: string, running: () => Running): OpenDatabase {
  let open: { readonly sql: postgres.Sql; readonly port: number } | null = null;
  const connected = (): postgres.Sql => {
    const { port } = running();
    if (open?.port !== port) {
      void open?.sql.end({ timeout: 1 });
      const url = urlOf(running(), name);
      open = {
        port,
        sql: postgres(url, { max: CONNECTIONS_MAX, connect_timeout: CONNECT_TIMEOUT_S, onnotice: () => undefined }),
      };
    }
    return open.sql;
  };
  return {
    name,
    get sql() {
      return connected();
    },
    urlVia: (port) => urlOf({ ...running(), ...(port === undefined ? {} : { port }) }, name),
    makeClock: () => installClock(connected),
    async disconnect() {
      await open?.sql.end({ timeout: 1 });
      open = null;
    },
  };
}

function urlOf({ url, port }: Pick<Running, 'url' | 'port'>, database: string): string {
  const changed = new URL(url);
  changed.pathname = database;
  changed.port = String(port);
  return changed.href;
}

async function asAdmin(url: string, act: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: CONNECT_TIMEOUT_S, onnotice: () => undefined });
  try {
    await act(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
