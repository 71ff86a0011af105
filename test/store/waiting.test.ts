import { expect, test } from 'vitest';
import { providerKey, replicaId, userAccount } from '../../src/core/ids.ts';
import { epochMs, later } from '../../src/core/time.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

const START = epochMs(Date.UTC(2026, 0, 15));
const NAMES = ['a', 'b', 'c'];
const REGISTRY = makeRegistry(
  ...NAMES.map((name) => makeProvider(name, [makeModel(`${name}-1`, '1')], { requestsPerMinute: 4 })),
);

// A row for each was read by every admission, under the locks of its accounts; and a caller may invent any number of users.
test('however many wait at once, two of each provider are noted: those that are waited for longest', async () => {
  await using database = await makeStoreDatabase(START);
  await using store = await openTestStore({
    kind: 'postgres',
    url: database.url,
    registry: REGISTRY,
    replica: replicaId('one'),
    log: SILENT_LOG,
  });
  const note = (number: number) => {
    const at = NAMES.map((name) => ({ provider: providerKey(name), untilMs: later(START, number * 10) }));
    const inSomeOrder = number % 2 === 0 ? at : at.toReversed();
    return store.noteWaiting({ tenant: userAccount(`user-${number}`), at: inSomeOrder });
  };
  const noted = () => database.sql`select tenant from switchyard.rate_waiter order by provider, ends_at desc`;
  await Promise.all(Array.from({ length: 300 }, (_, number) => note(number)));
  // Told the same moment: one more is no news.
  await Promise.all([299, 300].map(note));
  const both = ['user:user-300', 'user:user-299'].map((tenant) => ({ tenant }));
  expect([...(await noted())]).toEqual([...both, ...both, ...both]);
  await note(0);
  expect(await noted()).toHaveLength(6);
});
