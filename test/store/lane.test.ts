import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { openProxy } from '../../arena/support/proxy.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { connectTo, makeLane } from '../../src/store/postgres/lane.ts';
import { watchPresence } from '../../src/store/postgres/presence.ts';
import { SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
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
    await using lane = makeLane({
      url: url.href,
      connectionsMax: 1,
      silenceMsMax: 0,
      limitMs,
      presence: PRESENT,
      clock: SYSTEM_CLOCK,
    });
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
    silenceMsMax: 0,
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

/** A failure with a code: an SQLSTATE, or what the client and the network say. */
const coded = (code: string) => Object.assign(new Error(code), { code });
const refusedWith = (code: string) => Object.assign(new postgres.PostgresError(code), { code });

describe('a failure', () => {
  /** Fails one after the other, then answers. Says how often it was tried, and whether the connections are still the same. */
  async function failWith(...faults: readonly Error[]) {
    const suspicions: string[] = [];
    const presence = { ...PRESENT, suspect: (why: string) => void suspicions.push(why) };
    // Nothing is sent, so nothing has to be there.
    const url = 'postgres://127.0.0.1:1/nowhere';
    await using lane = makeLane({
      url,
      connectionsMax: 1,
      silenceMsMax: 0,
      limitMs: 250,
      presence,
      clock: makeFakeClock(),
    });
    const used = new Set<postgres.Sql>();
    let tries = 0;
    const work = async (sql: postgres.Sql) => {
      used.add(sql);
      const fault = faults[tries];
      tries += 1;
      if (fault !== undefined) throw fault;
      return 'answered';
    };
    const ending = await lane.run(work).catch((error: unknown) => error);
    const triesOfFirst = tries;
    tries = faults.length;
    await lane.run(work);
    return { ending, tries: triesOfFirst, isRebuilt: used.size > 1, isSuspected: suspicions.length > 0 };
  }

  test.each([
    coded('EAI_AGAIN'),
    coded('ENOTFOUND'),
    coded('ECONNRESET'),
    coded('CONNECTION_CLOSED'),
    coded('CONNECT_TIMEOUT'),
    coded('ERR_TLS_CERT_ALTNAME_INVALID'),
    coded('SASL_SIGNATURE_MISMATCH'),
    new Error('nobody knows'),
    ...['08006', '28P01', '3D000', '53100', '53300', '58030', '57P01', '57P03', '57P05', '25006'].map(refusedWith),
  ])('of the server or the way to it is an absence: %s', async (fault) => {
    expect(await failWith(fault)).toEqual({
      ending: expect.any(StoreUnavailable),
      tries: 1,
      isRebuilt: true,
      isSuspected: true,
    });
  });

  test('at the time limit of the server leaves the connections alone', async () => {
    expect(await failWith(refusedWith('57014'))).toEqual({
      ending: expect.any(StoreUnavailable),
      tries: 1,
      isRebuilt: false,
      isSuspected: false,
    });
  });

  test.each(['40001', '40P01', '55P03'])(
    'by meeting another act is tried again at once, and not for ever: %s',
    async (code) => {
      const clash = refusedWith(code);
      const isWell = { isRebuilt: false, isSuspected: false };
      expect(await failWith(clash, clash)).toEqual({ ending: 'answered', tries: 3, ...isWell });
      expect(await failWith(clash, clash, clash)).toEqual({
        ending: expect.any(StoreUnavailable),
        tries: 3,
        ...isWell,
      });
    },
  );

  test.each([
    refusedWith('22003'),
    refusedWith('23505'),
    refusedWith('XX000'),
    coded('UNDEFINED_VALUE'),
    new TypeError('a bug'),
  ])('of what was asked is thrown as it is: %s', async (fault) => {
    expect(await failWith(fault)).toEqual({ ending: fault, tries: 1, isRebuilt: false, isSuspected: false });
  });
});

test('connections that are late go when nothing has come for longer than they may be silent, and not before', async () => {
  const clock = makeFakeClock();
  const url = 'postgres://127.0.0.1:1/nowhere';
  const of = { url, connectionsMax: 1, limitMs: 250, silenceMsMax: 600, presence: PRESENT, clock };
  await using lane = makeLane(of);
  const used = new Set<postgres.Sql>();
  const act = (work: Promise<unknown>) =>
    lane.run((sql) => {
      used.add(sql);
      return work;
    });
  const answer = () => act(Promise.resolve());
  const beLate = async () => {
    const late = expect(act(new Promise(() => undefined))).rejects.toThrow(StoreUnavailable);
    clock.advance(250);
    await late;
  };
  await answer();
  clock.advance(60_000); // nothing is asked, so this is no silence
  await beLate();
  await beLate();
  await answer();
  expect(used.size).toBe(1);
  await beLate();
  await beLate();
  await answer();
  await beLate();
  await beLate();
  await beLate();
  expect(used.size).toBe(1);
  await answer();
  expect(used.size).toBe(2);
});

test('an act that takes too long is given up by the server, and its connection serves the next one', async () => {
  await using database = await makeDatabase();
  await using lane = makeLane({
    url: database.url,
    connectionsMax: 1,
    silenceMsMax: 0,
    limitMs: 2_000,
    presence: PRESENT,
    clock: SYSTEM_CLOCK,
  });
  const backend = async () => (await lane.run((sql) => sql`select pg_backend_pid() as pid`))[0]?.pid;
  const before = await backend();
  await expect(lane.run((sql) => sql`select pg_sleep(10)`)).rejects.toThrow(StoreUnavailable);
  expect(await backend()).toBe(before);
});

test('a server that only reads is away until it takes what is written', async () => {
  await using database = await makeDatabase();
  // Its own connection is older than the setting, which holds for new ones.
  const admin = postgres(database.url, { max: 1 });
  const name = new URL(database.url).pathname.slice(1);
  const setReadOnly = (isReadOnly: boolean) =>
    admin.unsafe(`alter database "${name}" set default_transaction_read_only = ${isReadOnly}`);
  await using presence = watchPresence({
    url: database.url,
    limitMs: 5_000,
    clock: SYSTEM_CLOCK,
    log: SILENT_LOG,
    onReturn: () => undefined,
  });
  await setReadOnly(true);
  await using lane = makeLane({
    url: database.url,
    connectionsMax: 1,
    silenceMsMax: 0,
    limitMs: 5_000,
    presence,
    clock: SYSTEM_CLOCK,
  });
  const write = () => lane.run((sql) => sql`insert into switchyard.books_difference values ('a', 1, 1, 1, 1, now())`);
  await expect(write()).rejects.toThrow(StoreUnavailable);
  await eventually(() => presence.absence() !== null);
  await setReadOnly(false);
  await eventually(() => presence.absence() === null);
  await write();
  await admin.end();
});

test('however long PostgreSQL is away, whoever listens to it tries again every second', () => {
  const { backoff } = connectTo('postgres://nobody@127.0.0.1:1/none', { connectionsMax: 1, limitMs: 1_000 }).options;
  if (typeof backoff !== 'function') throw new TypeError("the pauses are the client's own");
  expect([0, 1, 2, 3, 4, 5, 10, 1_000].map(backoff)).toEqual([0.01, 0.03, 0.09, 0.27, 0.81, 1, 1, 1]);
});
