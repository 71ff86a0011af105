import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import type { Clock } from '../../ports/clock.ts';
import { within } from '../time-limit.ts';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../drizzle', import.meta.url));

/** Whoever migrates holds this lock, so that replicas that start together do not create the same tables twice. */
const LOCK = 0x5357_5944n;

/** How long to wait for another replica that is migrating, for one statement, for a connection, and for a look at the schema. */
const LIMITS = { lockMs: 120_000, statementMs: 120_000, connectS: 5, lookMs: 10_000 } as const;

const JOURNAL = { migrationsSchema: 'switchyard_migrations', migrationsTable: 'applied' } as const;

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

/** Brings the database to this version's schema. Safe to run from many replicas at once; a database that is up to date is left alone. */
export async function migrateDatabase(url: string): Promise<void> {
  const sql = connectOnce(url);
  try {
    await sql`select pg_advisory_lock(${LOCK.toString()}::bigint)`;
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS_FOLDER, ...JOURNAL });
  } finally {
    await sql.end({ timeout: LIMITS.connectS });
  }
}

function connectOnce(url: string): postgres.Sql {
  return postgres(url, {
    max: 1,
    connect_timeout: LIMITS.connectS,
    onnotice: () => undefined,
    connection: { lock_timeout: LIMITS.lockMs, statement_timeout: LIMITS.statementMs },
  });
}
