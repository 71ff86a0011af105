import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import { holdId, replicaId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { makePostgresAdmission } from '../../src/store/postgres/admission.ts';
import { encodeRequest } from '../../src/store/postgres/encode-request.ts';
import { makeExchange } from '../../src/store/postgres/exchange.ts';
import { migrateDatabase } from '../../src/store/postgres/migrate.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { migrateUpTo } from '../support/migrate-up-to.ts';
import { connectToTest } from '../support/open-test-store.ts';
import { createDatabase } from '../support/postgres.ts';
import { makeRecord } from '../support/request-records.ts';

const LOG_ROWS = 10_000;

/** Far below what it takes to do all migrations; an act of a replica of the version before goes on meanwhile. */
const WAIT_MS_MAX = 1_500;

async function openAtVersionBefore(opened: AsyncDisposableStack) {
  const database = opened.use(await createDatabase(inject('postgresUrl')));
  const sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  opened.defer(() => sql.end({ timeout: 1 }));
  const single = postgres(database.url, { max: 1, onnotice: () => undefined });
  await migrateUpTo(single, '_api_keys');
  await single.end({ timeout: 1 });
  return { url: database.url, sql };
}

test('a database that is in use is migrated without a pause, and what was held before is settled exactly', async () => {
  await using opened = new AsyncDisposableStack();
  const { url, sql } = await openAtVersionBefore(opened);
  await sql`
    insert into switchyard.request select made.* from generate_series(1, ${LOG_ROWS}) number, jsonb_populate_record(null::switchyard.request,
      ${encodeRequest(makeRecord(1))}::text::jsonb || jsonb_build_object('recorded_at', now(), 'id', md5(number::text)::uuid)) made`;
  const id = holdId(newUuid());
  await sql`insert into switchyard.account (key, held, period_started_at) values ('user:ann', 100, now())`;
  await sql`
    insert into switchyard.hold (id, request_id, attempt, account, provider, model, amount, epoch, is_probe, started_at, expires_at, replica)
    values (${id}, ${newUuid()}, 1, 'user:ann', 'a', 'm', 100, 0, false, now(), now() + interval '1 hour', 'one')`;
  await sql`select switchyard.sync_providers('[{"key":"a","requestsPerMinute":100}]')`;
  const act = { replica: 'one', providers: [], accounts: ['user:ann'], admissions: [], looks: ['user:ann'] };
  let isMigrated = false;
  const waitsMs: number[] = [];
  const load = async () => {
    while (!isMigrated) {
      const startedMs = performance.now();
      await sql`select switchyard.exchange(${JSON.stringify(act)}::text::jsonb)`;
      waitsMs.push(performance.now() - startedMs);
    }
  };
  const running = load();
  await migrateDatabase(url).finally(() => {
    isMigrated = true;
  });
  await running;
  expect(Math.max(...waitsMs)).toBeLessThan(WAIT_MS_MAX);
  // Each in a commit of its own.
  const commits =
    await sql`select distinct xmin::text from switchyard_migrations.applied where created_at > 1795732006999`;
  expect(commits.length).toBeGreaterThan(1);
  await using connection = connectToTest(url);
  const store = makePostgresAdmission(
    connection,
    makeExchange(connection, { replica: replicaId('one'), own: { pick: () => [], adopt: () => undefined } }),
  );
  const rest = { verdict: { kind: 'neutral' }, jitter: 0, throttledForMs: null, setAside: null } as const;
  await store.settle({ holdId: id, ...rest, charge: { kind: 'spent', amount: picoUsd(30n), source: 'estimated' } });
  expect(await sql`select posted::text, held::text from switchyard.account where key = ${userAccount('ann')}`).toEqual([
    { posted: '30', held: '0' },
  ]);
});

test('a migration that finds a table in use says what to do, and keeps others from the table for a moment only', async () => {
  await using opened = new AsyncDisposableStack();
  const { url, sql } = await openAtVersionBefore(opened);
  const longest = await sql.begin(async (reader) => {
    await reader`select count(*) from switchyard.hold`;
    let isOver = false;
    let waitMsMax = 0;
    const others = (async () => {
      while (!isOver) {
        const startedMs = performance.now();
        await sql`select count(*) from switchyard.hold`;
        waitMsMax = Math.max(waitMsMax, performance.now() - startedMs);
      }
    })();
    await expect(migrateDatabase(url)).rejects.toThrow('a table was in use at each of');
    isOver = true;
    await others;
    return waitMsMax;
  });
  expect(longest).toBeLessThan(WAIT_MS_MAX);
  await migrateDatabase(url);
});
