import { describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { epochMs } from '../../src/core/time.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { REPLICA } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { SEED_REGISTRY } from '../support/registries.ts';
import { makeRecord, START_MS } from '../support/request-records.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

const DAY_MS = 86_400_000;

/** A store whose time a test moves, counted in days since the start. */
async function openStore(kind: 'memory' | 'postgres', opened: AsyncDisposableStack) {
  let now = START_MS;
  const options = { registry: SEED_REGISTRY, replica: REPLICA, log: SILENT_LOG };
  if (kind === 'memory') {
    const store = makeMemoryStore({ ...options, now: () => now });
    const moveTo = async (day: number) => {
      now = epochMs(START_MS + day * DAY_MS);
    };
    return { store, moveTo };
  }
  const database = opened.use(await makeStoreDatabase(now));
  const store = opened.use(await openTestStore({ ...options, kind, url: database.url }));
  return { store, moveTo: (day: number) => database.setClock(epochMs(START_MS + day * DAY_MS)) };
}

/** Keeps the log until nothing is left to do. */
async function keep(store: Store, retentionDays: number): Promise<void> {
  while ((await store.keepLog({ retentionDays })).kind !== 'rested');
}

async function daysKept(store: Store, records: readonly RequestRecord[]): Promise<readonly number[]> {
  const found = await Promise.all(records.map(({ id }) => store.find(id)));
  return found.flatMap((record) => (record === null ? [] : [(record.createdAtMs - START_MS) / DAY_MS]));
}

describe.each(['memory', 'postgres'] as const)('the log of the store %s', (kind) => {
  test.each([1, 10, 90])('is kept for %i days at least, and what is older goes soon after', async (retentionDays) => {
    await using opened = new AsyncDisposableStack();
    const { store, moveTo } = await openStore(kind, opened);
    const last = retentionDays * 3;
    const records: RequestRecord[] = [];
    for (let day = 0; day <= last; day += 1) {
      await moveTo(day);
      const record = makeRecord(day, { createdAtMs: epochMs(START_MS + day * DAY_MS) });
      records.push(record);
      await store.record(record);
      // Not on every day: the service may have been off.
      if (day % 3 === 0) await keep(store, retentionDays);
    }
    await keep(store, retentionDays);
    const kept = await daysKept(store, records);
    // A day more, and a fourteenth of the retention: what is dropped together is not older together.
    const slack = 1 + Math.ceil(retentionDays / 14);
    expect(kept).toEqual(records.keys().toArray().slice(kept[0]));
    expect(kept[0]).toBeLessThanOrEqual(last - retentionDays);
    expect(kept[0]).toBeGreaterThanOrEqual(last - retentionDays - slack);
  });

  test('forgets nothing that was recorded for another time than ours, until that is old', async () => {
    await using opened = new AsyncDisposableStack();
    const { store, moveTo } = await openStore(kind, opened);
    const far = [-400, -89, 400].map((day, number) =>
      makeRecord(number, { createdAtMs: epochMs(START_MS + day * DAY_MS) }),
    );
    for (const record of far) await store.record(record);
    await keep(store, 90);
    expect(await daysKept(store, far)).toEqual([-89, 400]);
    await moveTo(2);
    await keep(store, 90);
    expect(await daysKept(store, far)).toEqual([400]);
    await moveTo(520);
    await keep(store, 90);
    expect(await daysKept(store, far)).toEqual([]);
  });
});
