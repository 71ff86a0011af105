import postgres from 'postgres';
import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { makeRecorder } from '../../src/store/postgres/record-requests.ts';
import { makePostgresRequestLog } from '../../src/store/postgres/request-log.ts';
import { connectToTest } from '../support/open-test-store.ts';
import { makeAttempt, makeRecord, START_MS } from '../support/request-records.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

const NUMBERS = Array.from({ length: 250 }, (_, number) => number);

/** A request log on a real database, whose statements are counted. `fault` is what the next ones fail with, one after the other. */
async function openLog(opened: AsyncDisposableStack) {
  const database = opened.use(await makeStoreDatabase(START_MS));
  const connection = opened.use(connectToTest(database.url));
  const faults: Error[] = [];
  const seen = { statements: 0 };
  const record = async <Result>(run: (sql: postgres.Sql) => PromiseLike<Result>) => {
    seen.statements += 1;
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
    return connection.record(run);
  };
  const log = makePostgresRequestLog(connection, makeRecorder({ record }));
  return { log, seen, faults, sql: database.sql };
}

test('what is recorded at one moment is written by as few statements as it fits in, each request with its attempts', async () => {
  await using opened = new AsyncDisposableStack();
  const { log, seen } = await openLog(opened);
  const records = NUMBERS.map((number) => {
    const attempts = Array.from({ length: number % 4 }, (_, index) => makeAttempt({ number: index + 1 }));
    return makeRecord(number, { routing: { ...makeRecord(number).routing, attempts } });
  });
  await Promise.all(records.map((record) => log.record(record)));
  expect(seen.statements).toBe(3);
  for (const record of records) expect(await log.find(record.id)).toEqual(record);
});

test('of two records of one request at one moment the first counts, with its attempts alone', async () => {
  await using opened = new AsyncDisposableStack();
  const { log, seen } = await openLog(opened);
  const twice = { ...makeRecord(1).routing, attempts: [makeAttempt(), makeAttempt({ number: 2 })] };
  await Promise.all([log.record(makeRecord(1)), log.record(makeRecord(1, { status: 'failed', routing: twice }))]);
  expect(seen.statements).toBe(1);
  expect(await log.find(makeRecord(1).id)).toEqual(makeRecord(1));
});

test('a record that PostgreSQL does not take, or that is none, takes no other with it', async () => {
  await using opened = new AsyncDisposableStack();
  const { log } = await openLog(opened);
  const usage = { ...makeRecord(7).usage!, inputTokens: 1e30 };
  const unscored = { ...makeRecord(8).routing, decisionMs: Number.NaN };
  const told = await Promise.allSettled(
    NUMBERS.slice(0, 20).map((number) => {
      if (number === 7) return log.record(makeRecord(7, { usage }));
      return log.record(makeRecord(number, number === 8 ? { routing: unscored } : {}));
    }),
  );
  expect(told.flatMap(({ status }, number) => (status === 'rejected' ? [number] : []))).toEqual([7, 8]);
  expect(told[7]).toMatchObject({ reason: { message: expect.stringContaining('out of range') } });
  expect(told[8]).toMatchObject({ reason: { message: 'a decision holds a number that is none: NaN' } });
  for (const number of NUMBERS.slice(0, 20)) {
    expect((await log.find(makeRecord(number).id)) === null).toBe(number === 7 || number === 8);
  }
});

test('while PostgreSQL is away nobody waits for it more than once, and the same records can be written later', async () => {
  await using opened = new AsyncDisposableStack();
  const { log, seen, faults } = await openLog(opened);
  const recordAll = () => Promise.allSettled([1, 2, 3, 4].map((number) => log.record(makeRecord(number))));
  const away = new StoreUnavailable('no answer');
  faults.push(away);
  expect(await recordAll()).toEqual(Array(4).fill({ status: 'rejected', reason: away }));
  expect(seen.statements).toBe(1);
  // One of them seems to be at fault, and then PostgreSQL goes away.
  faults.push(new postgres.PostgresError('out of range'), away);
  expect(await recordAll()).toEqual(Array(4).fill({ status: 'rejected', reason: away }));
  expect(seen.statements).toBe(3);
  expect(await recordAll()).toEqual(Array(4).fill({ status: 'fulfilled', value: undefined }));
  expect(await log.find(makeRecord(4).id)).toEqual(makeRecord(4));
});
