import { expect, test } from 'vitest';
import { replicaId } from '../../src/core/ids.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

test('a registry with high limits is put in force, however short the deadline of one act is', async () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const limits = { requestsPerMinute: 10_000 };
  const registry = makeRegistry(...keys.map((key) => makeProvider(key, [makeModel('any', '1')], limits)));
  await using database = await makeDatabase();
  // Far too short for the rows of 50,000 slots.
  const options = {
    kind: 'postgres',
    url: database.url,
    registry,
    replica: replicaId('one'),
    log: SILENT_LOG,
  } as const;
  const store = await openTestStore({ ...options, timeoutMs: 50 });
  await store[Symbol.asyncDispose]();
  await using patient = await openTestStore(options);
  const { providers } = await patient.survey();
  expect(providers.map(({ state }) => state.provider)).toEqual(keys);
});
