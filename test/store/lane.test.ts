import { expect, test } from 'vitest';
import { openProxy } from '../../arena/support/proxy.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { makeLane } from '../../src/store/postgres/lane.ts';
import { SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { eventually } from '../support/eventually.ts';
import { makeDatabase } from '../support/store-database.ts';

const PRESENT = {
  absence: () => null,
  returns: () => 0,
  suspect: () => undefined,
  [Symbol.asyncDispose]: async () => {},
};

test('a connection that is given up at whatever moment of its opening is the absence of the store, and ends no process', async () => {
  await using database = await makeDatabase();
  const { port } = new URL(database.url);
  await using proxy = await openProxy(() => Number(port));
  proxy.set({ kind: 'latency', ms: 10 });
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const endings = new Set<string>();
  // Whatever nobody catches fails the run. Each step falls into another moment of the greeting, the log-in and the first statement.
  const limits = [...Array.from({ length: 40 }, (_none, step) => 4 * (step + 1)), 20_000];
  for (const limitMs of limits) {
    await using lane = makeLane({ url: url.href, connectionsMax: 1, limitMs, presence: PRESENT, clock: SYSTEM_CLOCK });
    const ending = await lane
      .run((sql) => sql`select 1 as one`)
      .then(
        ([row]) => `answered ${row?.one}`,
        (error) => (error instanceof StoreUnavailable ? 'unavailable' : String(error)),
      );
    endings.add(ending);
  }
  expect([...endings].toSorted()).toEqual(['answered 1', 'unavailable']);
});

test('a connection that takes longer to open than one act may take is there for a later act', async () => {
  await using database = await makeDatabase();
  const { port } = new URL(database.url);
  await using proxy = await openProxy(() => Number(port));
  // There and back 100 ms, and opening takes several times that.
  proxy.set({ kind: 'latency', ms: 50 });
  const url = new URL(database.url);
  url.port = String(proxy.port);
  await using lane = makeLane({
    url: url.href,
    connectionsMax: 1,
    limitMs: 250,
    presence: PRESENT,
    clock: SYSTEM_CLOCK,
  });
  let acts = 0;
  await eventually(async () => {
    acts += 1;
    return lane
      .run((sql) => sql`select 1 as one`)
      .then(
        () => true,
        () => false,
      );
  });
  expect(acts).toBeGreaterThan(1);
});
