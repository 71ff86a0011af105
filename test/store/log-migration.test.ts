import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { epochMs } from '../../src/core/time.ts';
import { encodeAttempts, encodeRequest } from '../../src/store/postgres/encode-request.ts';
import { migrateDatabase } from '../../src/store/postgres/migrate.ts';
import { makeRecorder } from '../../src/store/postgres/record-requests.ts';
import { makePostgresRequestLog } from '../../src/store/postgres/request-log.ts';
import { migrateUpTo } from '../support/migrate-up-to.ts';
import { connectToTest } from '../support/open-test-store.ts';
import { createDatabase } from '../support/postgres.ts';
import { makeAttempt, makeRecord } from '../support/request-records.ts';

const DAY_MS = 86_400_000;

async function recordUndivided(sql: postgres.Sql, record: RequestRecord): Promise<void> {
  await sql`
    insert into switchyard.request select made.* from
      jsonb_populate_record(null::switchyard.request, ${encodeRequest(record)}::text::jsonb || '{"recorded_at":"2026-01-01"}') made`;
  for (const attempt of encodeAttempts(record)) {
    await sql`
      insert into switchyard.attempt select made.* from
        jsonb_populate_record(null::switchyard.attempt, ${attempt}::text::jsonb) made`;
  }
}

test('requests that were recorded before there were partitions are all there afterwards, in partitions of their weeks', async () => {
  await using database = await createDatabase(inject('postgresUrl'));
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  try {
    await migrateUpTo(sql, '_log_partitions');
    const nowMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    const records = [0, 1, 6, 7, 8, 100, 364, 3_000, -20].map((ageDays, number) => {
      const routing = { ...makeRecord(number).routing, attempts: [makeAttempt(), makeAttempt({ number: 2 })] };
      return makeRecord(number, { createdAtMs: epochMs(nowMs - ageDays * DAY_MS), routing });
    });
    for (const record of records) await recordUndivided(sql, record);
    await migrateDatabase(database.url);
    await using connection = connectToTest(database.url);
    const log = makePostgresRequestLog(connection, makeRecorder(connection));
    for (const record of records) expect(await log.find(record.id)).toEqual(record);
    // The oldest, and the one of another time than ours.
    expect(await sql`select from switchyard.request_default`).toHaveLength(2);
    expect(await sql`select from switchyard.attempt_default`).toHaveLength(4);
    expect(await sql`select from switchyard.attempt`).toHaveLength(2 * records.length);
    const [weeks] = await sql`
      select bool_and(extract(isodow from starts_at at time zone 'UTC') = 1 and ends_at - starts_at = interval '7 days') as are_whole
      from switchyard.log_partition`;
    expect(weeks).toEqual({ are_whole: true });
  } finally {
    await sql.end({ timeout: 1 });
  }
});
