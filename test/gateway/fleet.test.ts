import { expect, test } from 'vitest';
import { replicasOf } from '../../src/core/fleet.ts';
import { replicaId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { joinFleet } from '../../src/gateway/fleet.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { configurationsOf, makeConfiguration } from '../fakes/configuration.ts';
import { makeListeningLog } from '../fakes/log.ts';
import { makeFakeMeters } from '../fakes/meters.ts';
import { eventually } from '../support/eventually.ts';
import { quiet, REPLICA } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { SEED_REGISTRY } from '../support/registries.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

const START = epochMs(Date.UTC(2026, 0, 1));

/** One replica as far as the fleet sees it. */
function join(store: Pick<Store, 'beat' | 'leave'>, configHash = 'abc') {
  const clock = makeFakeClock();
  const meters = makeFakeMeters();
  const { log, lines } = makeListeningLog();
  const memory = makeMemoryStore({ registry: SEED_REGISTRY, now: clock.now, replica: REPLICA });
  const configurations = configurationsOf({ registry: SEED_REGISTRY, configHash });
  const member = joinFleet({
    store: { ...memory, ...store },
    clock,
    log,
    meters,
    configurations,
    info: {
      version: '1.2.3',
      storeKind: 'postgres',
      replica: REPLICA,
      startedAtMs: clock.now(),
      contentKeptDays: null,
    },
  });
  /** Lets time pass to the next heartbeat. */
  const beat = async () => {
    clock.advance(5_000);
    await quiet();
  };
  return { member, configurations, clock, meters, lines, beat, count: () => replicasOf(member.fleet()) };
}

/** A database whose time stands still until a test moves it, and a store of each replica on it. */
async function makeFleet(names: readonly string[]) {
  const opened = new AsyncDisposableStack();
  const database = opened.use(await makeStoreDatabase(START));
  const open = (name: string) =>
    openTestStore({
      kind: 'postgres',
      url: database.url,
      registry: SEED_REGISTRY,
      replica: replicaId(name),
      log: makeListeningLog().log,
    });
  const stores: Store[] = [];
  for (const name of names) stores.push(opened.use(await open(name)));
  return { database, stores, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const HEARTBEAT = { version: '1.2.3', configHash: 'abc', priceListVersion: '2026-01' };

test('replicas on one database count one another for a minute, by its clock, and one that leaves not at all', async () => {
  await using fleet = await makeFleet(['one', 'two', 'three']);
  const [one, two, three] = fleet.stores;
  expect(await one!.beat(HEARTBEAT)).toEqual([{ configHash: 'abc', replicas: 1 }]);
  await two!.beat(HEARTBEAT);
  await fleet.database.setClock(epochMs(START + 59_999));
  expect(await three!.beat({ ...HEARTBEAT, configHash: 'xyz' })).toEqual([
    { configHash: 'abc', replicas: 2 },
    { configHash: 'xyz', replicas: 1 },
  ]);
  await fleet.database.setClock(epochMs(START + 60_000));
  expect(await one!.beat(HEARTBEAT)).toEqual([
    { configHash: 'abc', replicas: 1 },
    { configHash: 'xyz', replicas: 1 },
  ]);
  await three!.leave();
  expect(await one!.beat(HEARTBEAT)).toEqual([{ configHash: 'abc', replicas: 1 }]);
});

test('a replica that was killed is forgotten after a day, and its row with it', async () => {
  await using fleet = await makeFleet(['one', 'killed']);
  const { database, stores } = fleet;
  for (const store of stores) await store.beat(HEARTBEAT);
  const rows = async () => (await database.sql`select id from switchyard.replica order by id`).map(({ id }) => id);
  await database.setClock(epochMs(START + 86_399_999));
  await stores[0]!.beat(HEARTBEAT);
  expect(await rows()).toEqual(['killed', 'one']);
  await database.setClock(epochMs(START + 86_400_000));
  await stores[0]!.beat(HEARTBEAT);
  expect(await rows()).toEqual(['one']);
  const [row] =
    await database.sql`select *, extract(epoch from seen_at - started_at)::int as age from switchyard.replica`;
  expect(row).toMatchObject({ version: '1.2.3', config_hash: 'abc', price_list_version: '2026-01', age: 86_400 });
});

test('many replicas that beat, forget and leave at once do not stand in one another’s way', async () => {
  await using fleet = await makeFleet(Array.from({ length: 3 }, (_none, index) => `replica-${index}`));
  await fleet.database
    .sql`insert into switchyard.replica select 'old-' || n, ${new Date(0)}, ${new Date(0)}, '1', 'x', 'y', 'z'
    from generate_series(1, 500) n`;
  await Promise.all(fleet.stores.flatMap((store) => Array.from({ length: 5 }, () => store.beat(HEARTBEAT))));
  expect(await fleet.stores[0]!.beat(HEARTBEAT)).toEqual([{ configHash: 'abc', replicas: 3 }]);
  await Promise.all(fleet.stores.slice(1).map((store) => store.leave()));
  expect(await fleet.stores[0]!.beat(HEARTBEAT)).toEqual([{ configHash: 'abc', replicas: 1 }]);
  expect(await fleet.database.sql`select id from switchyard.replica`).toHaveLength(1);
});

test('a replica says at once and every five seconds that it lives, and when it stops, that it does', async () => {
  await using fleet = await makeFleet(['one', 'two']);
  await fleet.stores[1]!.beat(HEARTBEAT);
  const rows = () => fleet.database.sql`select id from switchyard.replica where id = 'one'`;
  const replica = join(fleet.stores[0]!);
  await eventually(async () => (await rows()).length === 1 && replica.count() === 2);
  expect([replica.meters.shown('replicas'), replica.meters.shown('storeUp')]).toEqual([2, 1]);
  await fleet.stores[1]!.leave();
  await replica.beat();
  await eventually(() => replica.count() === 1);
  await replica.member[Symbol.asyncDispose]();
  expect(await rows()).toHaveLength(0);
  expect(replica.clock.timerCount()).toBe(0);
});

test('while the store is away the count is of the last minute, then of this replica alone; the log does not cry', async () => {
  let isAway = false;
  const beat = async () => {
    if (isAway) throw new StoreUnavailable('connection refused');
    return [{ configHash: 'abc', replicas: 3 }];
  };
  const replica = join({ beat, leave: () => Promise.reject(new StoreUnavailable('connection refused')) });
  await quiet();
  expect(replica.count()).toBe(3);
  isAway = true;
  for (let missed = 1; missed <= 11; missed += 1) await replica.beat();
  expect([replica.count(), replica.meters.shown('replicas'), replica.meters.shown('storeUp')]).toEqual([3, 3, 0]);
  await replica.beat();
  expect([replica.count(), replica.meters.shown('replicas')]).toEqual([1, 1]);
  isAway = false;
  await replica.beat();
  expect([replica.count(), replica.meters.shown('replicas'), replica.meters.shown('storeUp')]).toEqual([3, 3, 1]);
  await replica.member[Symbol.asyncDispose]();
  expect(replica.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  expect(replica.lines.length).toBeGreaterThan(0);
});

test('each change of a disagreement is told once, with who has which configuration, and so is its end', async () => {
  const mine = { configHash: 'abc', replicas: 2 };
  const others = { configHash: 'xyz', replicas: 1 };
  let fleet = [mine];
  const replica = join({ beat: async () => fleet, leave: async () => undefined });
  const told = async () => {
    const before = replica.lines.length;
    for (let beats = 0; beats < 3; beats += 1) await replica.beat();
    return replica.lines.slice(before).map(({ level, fields }) => [level, fields.fleet ?? null, fields.configHash]);
  };
  expect(await told()).toEqual([]);
  fleet = [mine, others];
  expect(await told()).toEqual([['warn', 'abc on 2, xyz on 1', 'abc']]);
  fleet = [
    { ...others, replicas: 2 },
    { ...mine, replicas: 1 },
  ];
  expect(await told()).toEqual([['warn', 'xyz on 2, abc on 1', 'abc']]);
  fleet = [{ ...mine, replicas: 3 }];
  expect(await told()).toEqual([['info', null, 'abc']]);
  await replica.member[Symbol.asyncDispose]();
});

test('the memory of one process is a fleet of one', async () => {
  const clock = makeFakeClock();
  const replica = join(makeMemoryStore({ registry: SEED_REGISTRY, now: clock.now, replica: REPLICA }));
  await quiet();
  expect(replica.member.fleet()).toEqual([{ configHash: 'abc', replicas: 1 }]);
  await replica.member[Symbol.asyncDispose]();
});

test('a replica whose configuration is exchanged says so at once, and by that one from then on', async () => {
  const said: string[] = [];
  const beat: Store['beat'] = async ({ configHash, priceListVersion }) => {
    said.push(`${configHash} ${priceListVersion}`);
    return [{ configHash, replicas: 1 }];
  };
  const replica = join({ beat, leave: async () => undefined });
  await quiet();
  const registry = { ...SEED_REGISTRY, priceListVersion: 'test-2' };
  replica.configurations.exchange(makeConfiguration({ registry, configHash: 'xyz' }));
  await quiet();
  expect(said).toEqual(['abc test-1', 'xyz test-2']);
  expect(replica.member.fleet()).toEqual([{ configHash: 'xyz', replicas: 1 }]);
  await replica.member[Symbol.asyncDispose]();
  expect(replica.clock.timerCount()).toBe(0);
});
