import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import postgres from 'postgres';
import * as requestLogSchema from '../../src/store/postgres/schema-request-log.ts';
import * as rootSchema from '../../src/store/postgres/schema-root.ts';
import { createDatabase, startTestServer } from './postgres.ts';

/** A database with our tables in it, for one test file. */
export interface OpenDatabase extends AsyncDisposable {
  readonly sql: postgres.Sql;
}

/** `serverUrl` is the run's server. Undefined: one is started for this file alone. */
export async function openDatabase(serverUrl: string | undefined): Promise<OpenDatabase> {
  await using opened = new AsyncDisposableStack();
  const url = serverUrl ?? opened.use(await startTestServer()).url;
  const database = opened.use(await createDatabase(url));
  const sql = postgres(database.url, { max: 4, onnotice: () => undefined });
  opened.defer(() => sql.end({ timeout: 1 }));
  await makeTables(sql);
  const kept = opened.move();
  return { sql, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

// Until drizzle/ has migrations, straight from the schema.
async function makeTables(sql: postgres.Sql): Promise<void> {
  const schema = generateDrizzleJson({ ...rootSchema, ...requestLogSchema });
  for (const statement of await generateMigration(generateDrizzleJson({}), schema)) await sql.unsafe(statement);
  await sql`create function switchyard.clock() returns timestamptz language sql volatile as 'select clock_timestamp()'`;
}
