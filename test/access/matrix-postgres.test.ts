import { expect, test } from 'vitest';
import { replicaId } from '../../src/core/ids.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeStoreDatabase } from '../support/store-database.ts';
import { check } from './asking.ts';
import { makeScene, REGISTRY } from './scene.ts';
import { TABLE } from './table.ts';

/** Whatever reads the log, in SQL of its own. Who may call a field has nothing to do with the store. */
const READERS = [
  'Query.node',
  'Query.provider',
  'Query.requests',
  'Query.request',
  'Query.analytics',
  'Query.budget',
  'Query.budgets',
  'Subscription.analyticsTicks',
  'Subscription.requestEvents',
  'Subscription.budgetEvents',
] as const;

const ASKED = [
  ['A', 'A'],
  ['A', 'B'],
  ['admin', 'B'],
] as const;

test('on PostgreSQL everybody is told what is theirs, and of nobody else', async () => {
  await using opened = new AsyncDisposableStack();
  // The database's clock stands still where the gateway's begins.
  const { url } = opened.use(await makeStoreDatabase(makeFakeClock().now()));
  const replica = replicaId('one');
  const store = opened.use(
    await openTestStore({ kind: 'postgres', url, registry: REGISTRY, replica, log: SILENT_LOG }),
  );
  const scene = await makeScene(store);
  opened.use(scene.kit);
  for (const name of READERS) {
    const row = TABLE[name];
    if (row === undefined) throw new RangeError(`no row ${name}`);
    for (const [caller, owner] of ASKED) {
      for (const [way, call] of Object.entries(row.calls)) {
        const target = await scene.targetOf(owner);
        const asking = check(scene, { caller, row, call, name, target });
        await expect(asking, `${name}: ${caller} asks "${way}" about ${owner}`).resolves.toBeUndefined();
      }
    }
  }
});
