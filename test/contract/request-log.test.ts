import { expect, test } from 'vitest';
import { NO_FILTER } from '../../src/core/analytics.ts';
import { EVERYBODY } from '../../src/core/view.ts';
import type { RequestLogPort } from '../../src/ports/request-log.ts';
import { makeMemoryRequestLog } from '../../src/store/memory/request-log.ts';
import { makeRecorder } from '../../src/store/postgres/record-requests.ts';
import { makePostgresRequestLog } from '../../src/store/postgres/request-log.ts';
import { connectToTest } from '../support/open-test-store.ts';
import { EVERYTHING, makeRecord, START_MS } from '../support/request-records.ts';
import { makeStoreDatabase } from '../support/store-database.ts';
import { type OpenLog, requestLogContract } from './request-log.ts';

requestLogContract('memory', async (): Promise<OpenLog> => {
  let nowMs = START_MS;
  let inner = makeMemoryRequestLog({ now: () => nowMs });
  const log: RequestLogPort = {
    record: (record) => inner.record(record),
    find: (id) => inner.find(id),
    page: (query) => inner.page(query),
    analyse: (query) => inner.analyse(query),
    statsOf: (query) => inner.statsOf(query),
  };
  return {
    log,
    clear: async () => {
      inner = makeMemoryRequestLog({ now: () => nowMs });
    },
    setNow: async (instant) => {
      nowMs = instant;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});

requestLogContract('PostgreSQL', async (): Promise<OpenLog> => {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await makeStoreDatabase(START_MS));
  const connection = opened.use(connectToTest(database.url));
  const kept = opened.move();
  return {
    log: makePostgresRequestLog(connection, makeRecorder(connection)),
    clear: async () => {
      await database.sql`delete from switchyard.request`;
      await database.sql`delete from switchyard.attempt`;
    },
    setNow: (nowMs) => database.setClock(nowMs),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
});

test('the log in memory keeps the newest requests and forgets the oldest', async () => {
  const log = makeMemoryRequestLog({ now: () => START_MS, recordsMax: 3 });
  for (const number of [1, 2, 3, 4, 5]) await log.record(makeRecord(number));
  await log.record(makeRecord(5));
  expect((await log.analyse(EVERYTHING)).totals.requests).toBe(3);
  expect(await log.find(makeRecord(2).id)).toBeNull();
  expect(await log.find(makeRecord(3).id)).toEqual(makeRecord(3));
});

test('a forged cursor is refused before it reaches the database', async () => {
  await using database = await makeStoreDatabase(START_MS);
  await using connection = connectToTest(database.url);
  const log = makePostgresRequestLog(connection, makeRecorder(connection));
  const order = { field: 'cost', direction: 'ascending' } as const;
  const forged = ['["cost ascending","1","x"]', `["cost ascending","${10n ** 18n * 99n}","${makeRecord(1).id}"]`];
  for (const parts of forged) {
    const page = { size: 1, direction: 'forward', cursor: btoa(parts) } as const;
    expect(await log.page({ page, filter: NO_FILTER, order, view: EVERYBODY })).toEqual({ kind: 'badCursor' });
  }
});
