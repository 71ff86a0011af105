import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANONYMOUS, holdId, providerKey, replicaId, requestId } from '../../src/core/ids.ts';
import { picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { type EpochMs, epochMs, later } from '../../src/core/time.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

// Rolling limits on a real PostgreSQL: changed while the window runs, and claimed by several at once.

const START = epochMs(Date.UTC(2026, 0, 15));
const WINDOW_MS = 60_250;
const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 4 }));

let database: StoreDatabase;
let store: Store;
let now: EpochMs = START;

beforeAll(async () => {
  database = await makeStoreDatabase(START);
  const options = { kind: 'postgres', registry: REGISTRY, replica: replicaId('one'), log: SILENT_LOG } as const;
  store = await openTestStore({ ...options, url: database.url });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await database.sql`truncate switchyard.rate_slot, switchyard.provider_state`;
  await moveTo(START);
  await setLimit(4);
});

async function moveTo(instant: EpochMs): Promise<void> {
  now = instant;
  await database.setClock(instant);
}

async function setLimit(requestsPerMinute: number): Promise<void> {
  const rows = JSON.stringify([{ key: 'a', requestsPerMinute }]);
  await database.sql`select switchyard.sync_providers(${rows}::text::jsonb)`;
}

function admit(count: number) {
  const bound = { input: picoUsd(1n), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
  return Promise.all(
    Array.from({ length: count }, () =>
      store.admit({
        requestId: requestId(newUuid()),
        attempt: 1,
        holdId: holdId(newUuid()),
        account: ANONYMOUS,
        also: [],
        defaultCap: null,
        ceiling: null,
        candidates: [{ provider: providerKey('a'), model: 'a-1', bound }],
        attemptMs: 1_000,
      }),
    ),
  );
}

/** How many of so many requests are admitted now. */
async function admitted(count: number): Promise<number> {
  return (await admit(count)).filter(({ kind }) => kind === 'admitted').length;
}

test('a new provider is usable at once, and so is what is added to a limit that was never lowered', async () => {
  expect(await admitted(5)).toBe(4);
  await setLimit(6);
  expect(await admitted(3)).toBe(2);
});

test('a limit that is lowered and raised again within the window admits no more than it', async () => {
  expect(await admitted(3)).toBe(3);
  await moveTo(later(now, 10_000));
  await setLimit(1);
  expect(await admitted(1)).toBe(0);
  await setLimit(4);
  expect(await admitted(5)).toBe(0);
  await moveTo(later(START, WINDOW_MS - 1));
  expect(await admitted(5)).toBe(0);
  await moveTo(later(START, WINDOW_MS));
  expect(await admitted(5)).toBe(4);
});

test('a limit that is lowered while nothing is under way is all there when it is raised again', async () => {
  expect(await admitted(1)).toBe(1);
  await setLimit(2);
  await setLimit(4);
  expect(await admitted(5)).toBe(3);
});

test('a slot that is taken while a limit is being lowered stays', async () => {
  const other = postgres(database.url, { max: 2 });
  const isWaiting = async () =>
    (await other`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`).length >
    0;
  let lowering: Promise<void> | null = null;
  await other.begin(async (sql) => {
    await sql`update switchyard.rate_slot set free_at = switchyard.slot_taken_until(switchyard.clock()) where slot = 1`;
    lowering = setLimit(3);
    await eventually(isWaiting);
  });
  await lowering;
  await other.end();
  expect(await database.sql`select from switchyard.rate_slot where slot = 1`).toHaveLength(1);
  expect(await admitted(3)).toBe(2);
});

test('a limit whose free slots others are claiming right now is worth another look in a second, or sooner', async () => {
  const waitMs = async () => {
    const [refused] = await admit(1);
    const why = refused!.refusals[0]?.why;
    return why?.kind === 'rateLimited' ? why.untilMs - now : null;
  };
  const other = postgres(database.url, { max: 1 });
  const whileOthersClaim = (look: () => Promise<void>) =>
    other.begin(async (sql) => {
      await sql`select from switchyard.rate_slot where free_at <= switchyard.clock() for update`;
      await look();
    });
  await whileOthersClaim(async () => expect(await waitMs()).toBe(1_000));
  expect(await admitted(2)).toBe(2);
  await whileOthersClaim(async () => expect(await waitMs()).toBe(1_000));
  await moveTo(later(START, WINDOW_MS - 300));
  await whileOthersClaim(async () => expect(await waitMs()).toBe(300));
  expect(await admitted(2)).toBe(2);
  expect(await waitMs()).toBe(300);
  await moveTo(later(START, WINDOW_MS));
  // Own claims are not those of others.
  const answers = await admit(3);
  expect(answers.map(({ kind }) => kind)).toEqual(['admitted', 'admitted', 'refused']);
  expect(answers[2]!.refusals[0]!.why).toMatchObject({ untilMs: later(START, 2 * WINDOW_MS - 300) });
  await other.end();
});
