import postgres from 'postgres';
import { inject } from 'vitest';
import type { EpochMs } from '../../src/core/time.ts';
import { migrateDatabase } from '../../src/store/postgres/migrate.ts';
import { createDatabase } from './postgres.ts';

/** A migrated database of its own, whose clock stands still until a test moves it. */
export interface StoreDatabase extends AsyncDisposable {
  readonly url: string;
  readonly sql: postgres.Sql;
  /** What `switchyard.clock()` answers from now on. */
  setClock(now: EpochMs): Promise<void>;
}

/** A migrated database with the real clock. */
export async function makeDatabase(): Promise<AsyncDisposable & { readonly url: string }> {
  const database = await createDatabase(inject('postgresUrl'));
  await migrateDatabase(database.url);
  return database;
}

export async function makeStoreDatabase(now: EpochMs): Promise<StoreDatabase> {
  const database = await makeDatabase();
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  const setClock = async (instant: EpochMs) => {
    await sql`update switchyard.test_clock set at = to_timestamp(${instant}::float8 / 1000)`;
  };
  await sql`create table switchyard.test_clock (at timestamptz not null)`;
  await sql`insert into switchyard.test_clock values (now())`;
  await sql`create or replace function switchyard.clock() returns timestamptz language sql volatile as
    'select date_trunc(''milliseconds'', at) from switchyard.test_clock'`;
  await setClock(now);
  return {
    url: database.url,
    sql,
    setClock,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await database[Symbol.asyncDispose]();
    },
  };
}
