import postgres from 'postgres';
import { expect, test } from 'vitest';
import { holdId, replicaId } from '../../src/core/ids.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { ANN, makeReserveKit, takeSlice } from '../support/reserve-kit.ts';
import { makeDatabase } from '../support/store-database.ts';

const DEAD = replicaId('replica-1');

test('what a replica left behind is found by an index, however many holds have ended', async () => {
  await using kit = await makeReserveKit();
  await kit.sql`insert into switchyard.hold (id, request_id, attempt, account, provider, model, amount, state, epoch, is_probe,
      started_at, expires_at, ended_at, replica)
    select gen_random_uuid(), gen_random_uuid(), 1, 'user:bob', 'a', 'a-1', 1, 'posted', 0, false, now(), now(), now(), ${DEAD}
    from generate_series(1, 5000)`;
  await kit.sql`analyze switchyard.hold`;
  const plan = await kit.sql`explain select id from switchyard.hold
    where replica = ${DEAD} and provider <> '' and state in ('held', 'expired') and id <> all ('{}'::uuid[])`;
  expect(JSON.stringify(plan)).toContain('hold_of_replica');
  expect(await kit.admit(usd('0.10'))).toMatchObject({ kind: 'admitted' });
  await takeSlice(kit.stores[0]);
  expect(await kit.stores[1].voidUnsent(DEAD, [])).toBe(2);
  expect(await kit.stores[1].account(ANN)).toMatchObject({ posted: 0n, held: 0n });
});

test('no request waits for it, so it has more time than one', async () => {
  await using database = await makeDatabase();
  const registry = makeRegistry(makeProvider('a', [makeModel('a-1', '1')]));
  const options = { kind: 'postgres', url: database.url, registry, replica: DEAD, log: SILENT_LOG } as const;
  await using store = await openTestStore({ ...options, timeoutMs: 500 });
  const wish = { keep: [], renew: [], amountMax: usd('0.04'), slots: { renew: [], giveBack: [], take: [] } };
  await store.reserve({ ...wish, take: [{ id: holdId(newUuid()), account: ANN, also: [], defaultCap: usd('1.00') }] });
  const other = postgres(database.url, { max: 2 });
  // Longer than a read may take, which is four times as long as an act.
  const hindered = other.begin(async (sql) => {
    await sql`select from switchyard.hold for update`;
    await sql`select pg_sleep(2.5)`;
  });
  await eventually(
    async () => (await other`select from pg_stat_activity where query like 'select pg_sleep%'`).length > 0,
  );
  expect(await store.voidUnsent(DEAD, [])).toBe(1);
  await hindered;
  await other.end();
});
