import { expect, test } from 'vitest';
import { NO_FILTER } from '../../src/core/analytics.ts';
import { apiKeyId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import { EVERYBODY } from '../../src/core/view.ts';
import { conditionsOf } from '../../src/store/postgres/request-conditions.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

// Without an index of either of the two columns every partition is read whole.
test('what a key or its line sent is found by indexes', async () => {
  await using database = await makeStoreDatabase(epochMs(Date.UTC(2026, 0, 15)));
  const { sql } = database;
  await sql`set enable_seqscan = off`;
  const conditions = conditionsOf(sql, { filter: { ...NO_FILTER, apiKeyId: apiKeyId('k') }, view: EVERYBODY });
  const plan = await sql`explain select r.id from switchyard.request r where ${conditions}`;
  const told = plan.map((line) => line['QUERY PLAN']).join('\n');
  expect(told).toContain('BitmapOr');
  expect(told).not.toContain('Seq Scan');
});
