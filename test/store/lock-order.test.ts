import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeDatabase } from '../support/store-database.ts';

// Whoever locks several rows of a kind does so in one order: holds by id, providers by name. Here somebody who keeps to it already
// has the first of two rows and comes for the second, while an act is under way that needs both.

const FIRST = '00000000-0000-7000-8000-000000000001';
const SECOND = '00000000-0000-7000-8000-000000000002';

let database: Awaited<ReturnType<typeof makeDatabase>>;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await makeDatabase();
  sql = postgres(database.url, { max: 3, onnotice: () => undefined });
});

afterAll(async () => {
  await sql.end();
  await database[Symbol.asyncDispose]();
});

const rowsOf = (...names: readonly string[]) => JSON.stringify(names.map((key) => ({ key, requestsPerMinute: 5 })));

async function sync(...names: readonly string[]) {
  const [row] = await sql`select switchyard.sync_providers(${rowsOf(...names)}::text::jsonb) as answer`;
  return row!.answer;
}

const stopSimulations = async () => sql`select switchyard.stop_simulation(null, '{"name":"tester"}')`;
const renew = async () => sql`select switchyard.renew(${[SECOND, FIRST]}::uuid[], 90000)`;

beforeEach(async () => {
  await sql`truncate switchyard.provider_state, switchyard.rate_slot, switchyard.hold`;
  // The registry's order is not that of the names, and the rows lie in yet another order than that of their ids.
  await sync('b', 'a');
  for (const id of [SECOND, FIRST]) {
    await sql`insert into switchyard.hold (id, request_id, attempt, account, provider, model, amount, epoch, is_probe, started_at, expires_at, replica)
      values (${id}, ${id}, 1, 'user:ann', 'a', 'm', 1, 0, false, now(), now(), 'one')`;
  }
});

/** Locks the first row, starts the act, and locks the second one when the act waits. Rejects when the two wait for each other. */
async function meet(table: 'hold' | 'provider_state', act: () => PromiseLike<unknown>): Promise<void> {
  const [column, first, second] = table === 'hold' ? ['id', FIRST, SECOND] : ['provider', 'a', 'b'];
  const lock = (by: postgres.TransactionSql, value: string) =>
    by`select from switchyard.${by(table)} where ${by(column!)} = ${value} for update`;
  let acting: PromiseLike<unknown> | null = null;
  await sql.begin(async (other) => {
    await lock(other, first!);
    acting = act();
    await eventually(
      async () =>
        (await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
          .length > 0,
    );
    await lock(other, second!);
  });
  await acting;
}

test('a registry that changes the order of providers is put in force beside those who lock them', async () => {
  await meet('provider_state', () => sync('c', 'b', 'a'));
});

test('a registry that changes nothing waits for nobody', async () => {
  await sql.begin(async (other) => {
    await other`select from switchyard.provider_state for update`;
    expect(await sync('b', 'a')).toMatchObject({ changed: [] });
  });
});

test('simulations are stopped beside those who lock their providers', async () => {
  await meet('provider_state', () => stopSimulations());
});

test('holds are renewed beside those who lock them', async () => {
  await meet('hold', () => renew());
});
