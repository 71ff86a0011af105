import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import postgres from 'postgres';
import type { Clock } from '../../ports/clock.ts';
import { within } from '../time-limit.ts';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../drizzle', import.meta.url));

/** Whoever migrates holds this lock, so that replicas that start together do not create the same tables twice. */
const LOCK = 0x5357_5944n;

/** How long to wait for another replica that is migrating, for one statement, for a connection, and for a look at the schema. */
const LIMITS = { lockMs: 120_000, statementMs: 120_000, connectS: 5, lookMs: 10_000 } as const;

/**
 * Whoever waits for a table keeps all others from it, and an act of the request path has 225 ms by default. So a migration waits for less,
 * and then comes again. That also undoes it where it and an act wait for each other.
 */
const STEP = { lockMs: 100, triesMax: 20, pauseMs: 500 } as const;

/** What PostgreSQL says of a lock that was not free in time, and of two that wait for each other. */
const IN_THE_WAY: readonly string[] = ['55P03', '40P01'];

/** What keeps the service from using a database as it is. Null when nothing does. Rejects when the database cannot be reached, or does not answer in time. */
export async function schemaFaultOf(url: string, clock: Pick<Clock, 'after'>): Promise<string | null> {
  const sql = connectOnce(url);
  try {
    return await within(lookForFault(sql), { limitMs: LIMITS.lookMs, clock });
  } finally {
    // Without waiting: on a connection that swallows everything nobody says goodbye.
    void sql.end({ timeout: 0 });
  }
}

async function lookForFault(sql: postgres.Sql): Promise<string | null> {
  const wanted = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).at(-1)?.folderMillis ?? 0;
  const [table] = await sql`select to_regclass('switchyard_migrations.applied') as name`;
  if (table?.name === null) return 'the database has no tables of ours: run `npm run migrate`';
  const [row] = await sql`select coalesce(max(created_at), 0)::text as applied from switchyard_migrations.applied`;
  const applied = Number(row?.applied);
  if (applied === wanted) return null;
  return applied < wanted
    ? 'the database is older than this version: run `npm run migrate`'
    : 'the database is newer than this version: run the version that migrated it, or a later one';
}

/**
 * Brings the database to this version's schema, each migration in a commit of its own, so that the locks of one are free before the next
 * one does its work. Safe to run from many replicas at once; a database that is up to date is left alone.
 */
export async function migrateDatabase(url: string): Promise<void> {
  const sql = connectOnce(url);
  try {
    await sql`select pg_advisory_lock(${LOCK.toString()}::bigint)`;
    const appliedMs = await openJournal(sql);
    const due = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).filter(
      (one) => one.folderMillis > appliedMs,
    );
    for (const migration of due) await applyWhenFree(sql, migration);
  } finally {
    await sql.end({ timeout: LIMITS.connectS });
  }
}

/** The table of what was applied, as drizzle-kit keeps it. Answers which migration was last. */
async function openJournal(sql: postgres.Sql): Promise<number> {
  await sql`create schema if not exists switchyard_migrations`;
  await sql`create table if not exists switchyard_migrations.applied (id serial primary key, hash text not null, created_at bigint)`;
  const [row] = await sql`select coalesce(max(created_at), 0)::text as applied from switchyard_migrations.applied`;
  return Number(row?.applied);
}

async function applyWhenFree(sql: postgres.Sql, migration: MigrationMeta): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await apply(sql, migration);
    } catch (error) {
      if (!(error instanceof postgres.PostgresError && IN_THE_WAY.includes(error.code))) throw error;
      if (tries === STEP.triesMax) throw new Error(lockedMessage(error), { cause: error });
    }
    await pause(STEP.pauseMs);
  }
}

async function apply(sql: postgres.Sql, { sql: statements, hash, folderMillis }: MigrationMeta): Promise<void> {
  await sql.begin(async (step) => {
    await step`select set_config('lock_timeout', ${String(STEP.lockMs)}, true)`;
    for (const statement of statements) await step.unsafe(statement);
    await step`insert into switchyard_migrations.applied (hash, created_at) values (${hash}, ${folderMillis})`;
  });
}

function lockedMessage({ message }: Error): string {
  return `the database could not be migrated, because a table was in use at each of ${STEP.triesMax} tries (${message}): \
end long transactions and backups that run on it (pg_stat_activity names them), and migrate again; what is done already stays done`;
}

function connectOnce(url: string): postgres.Sql {
  return postgres(url, {
    max: 1,
    connect_timeout: LIMITS.connectS,
    onnotice: () => undefined,
    connection: { lock_timeout: LIMITS.lockMs, statement_timeout: LIMITS.statementMs },
  });
}
