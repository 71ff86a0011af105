import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../drizzle', import.meta.url));

/** Whoever migrates holds this lock, so that replicas that start together do not create the same tables twice. */
const LOCK = 0x5357_5944n;

/** How long to wait for another replica that is migrating, and for one statement. */
const LIMITS = { lockMs: 120_000, statementMs: 120_000, connectS: 5 } as const;

const JOURNAL = { migrationsSchema: 'switchyard_migrations', migrationsTable: 'applied' } as const;

/** Brings the database to this version's schema. Safe to run from many replicas at once; a database that is up to date is left alone. */
export async function migrateDatabase(url: string): Promise<void> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: LIMITS.connectS,
    onnotice: () => undefined,
    connection: { lock_timeout: LIMITS.lockMs, statement_timeout: LIMITS.statementMs },
  });
  try {
    await sql`select pg_advisory_lock(${LOCK.toString()}::bigint)`;
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS_FOLDER, ...JOURNAL });
  } finally {
    await sql.end({ timeout: LIMITS.connectS });
  }
}
