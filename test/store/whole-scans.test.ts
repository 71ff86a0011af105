import postgres from 'postgres';
import { expect, test } from 'vitest';
import { holdId, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { NO_STANDING } from '../../src/core/verdict.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { alone } from '../support/alone.ts';
import { eventually } from '../support/eventually.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 1_000 }));

// A plan that is made while a table is small, as after every deployment, is kept by the connection: if it reads the whole table,
// it goes on doing so when that has grown, and every settle takes longer than the one before.
test('what a settle, a renewal and a reap need is found by an index, also when the table was small at first', async () => {
  await using database = await makeDatabase();
  const options = { kind: 'postgres', url: database.url, registry: REGISTRY, log: SILENT_LOG } as const;
  await using store = await openTestStore({ ...options, replica: replicaId(newUuid()) });
  const sql = postgres(database.url, { max: 1 });
  const scans = async () => {
    const [row] = await sql`select seq_scan::int as whole, idx_scan::int as by_index from pg_stat_user_tables
      where relname = 'hold'`;
    return { whole: Number(row?.whole), byIndex: Number(row?.by_index) };
  };
  const bound = { input: picoUsd(400n), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
  const admit = async () => {
    const id = holdId(newUuid());
    const admitted = await store.admit({
      requestId: requestId(newUuid()),
      attempt: 1,
      holdId: id,
      account: userAccount('ann'),
      also: [],
      defaultCap: picoUsd(1_000_000n),
      ceiling: null,
      candidates: [{ provider: REGISTRY.providers[0]!.key, model: 'a-1', bound }],
      attemptMs: 5_000,
    });
    expect(admitted.kind).toBe('admitted');
    return id;
  };
  const before = await scans();
  for (let count = 0; count < 5; count += 1) {
    // So many of one call that reading the small table looks cheaper.
    const ids = await Promise.all(Array.from({ length: 100 }, admit));
    await store.renew(ids);
    await store.reap(100);
    const settle = (id: (typeof ids)[number]) =>
      store.settle({ holdId: id, charge: { kind: 'hold' }, jitter: 0, ...NO_STANDING });
    await Promise.all(ids.map(settle));
  }
  await eventually(async () => {
    // A connection tells of its scans when it has something to do.
    await Promise.all([store.look(alone(userAccount('ann'))), store.renew([]), store.reap(1)]);
    return (await scans()).byIndex >= before.byIndex + 20;
  });
  expect((await scans()).whole).toBe(before.whole);
  await sql.end();
});
