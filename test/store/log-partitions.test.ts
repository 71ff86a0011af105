import fc from 'fast-check';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { NO_FILTER, type Window } from '../../src/core/analytics.ts';
import { providerKey } from '../../src/core/ids.ts';
import { pageOfRequests } from '../../src/core/request-order.ts';
import { REQUEST_ORDER_FIELDS } from '../../src/core/request-record.ts';
import { analyseRecords, statsOfProvider } from '../../src/core/tally.ts';
import { epochMs } from '../../src/core/time.ts';
import { fetchAnalytics } from '../../src/store/postgres/analyse-requests.ts';
import { makeRecorder } from '../../src/store/postgres/record-requests.ts';
import { makePostgresRequestLog } from '../../src/store/postgres/request-log.ts';
import { makePostgresUpkeep } from '../../src/store/postgres/upkeep.ts';
import { eventually } from '../support/eventually.ts';
import { atDay, DAY_MS, openKeptLog } from '../support/kept-log.ts';
import { connectToTest } from '../support/open-test-store.ts';
import { EVERYTHING, makeRecord, queries, recordLists, START_MS, windows } from '../support/request-records.ts';
import { expectSame } from '../support/same-numbers.ts';

test('partitions are made ahead, a fourteenth of the retention wide, and dropped when all of it is too old', async () => {
  await using opened = new AsyncDisposableStack();
  const { keep, moveTo, log, partitions } = await openKeptLog(opened);
  await log.record(makeRecord(1));
  // 2026-01-01 is a Thursday: the week began three days before.
  expect(await keep(90)).toEqual(['made the partition of 2025-12-29 to 2026-01-05 and moved 1 requests into it']);
  await moveTo(1);
  expect(await keep(90)).toEqual(['made the partition of 2026-01-05 to 2026-01-12 and moved 0 requests into it']);
  await moveTo(94);
  expect(await keep(90)).toEqual([
    'made the partition of 2026-03-30 to 2026-04-06 and moved 0 requests into it',
    'made the partition of 2026-04-06 to 2026-04-13 and moved 0 requests into it',
    'dropped the partition of 2025-12-29 to 2026-01-05',
  ]);
  expect(await log.find(makeRecord(1).id)).toBeNull();
  expect(await partitions()).toEqual([
    [4, 11],
    [88, 95],
    [95, 102],
  ]);
});

test('whatever the retention is changed to, the next three days have partitions, and none is kept that is too old', async () => {
  const steps = fc.array(
    fc.record({ later: fc.integer({ min: 0, max: 40 }), retentionDays: fc.constantFrom(1, 2, 14, 15, 90, 400, 3_650) }),
    { minLength: 1, maxLength: 6 },
  );
  await using opened = new AsyncDisposableStack();
  const { keep, moveTo, partitions } = await openKeptLog(opened);
  let day = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      for (const { later, retentionDays } of list) {
        day += later + 0.375;
        await moveTo(day);
        await keep(retentionDays);
        const made = await partitions();
        const isCovered = [0, 1, 2, 3].every((ahead) =>
          made.some(([starts, ends]) => starts <= day + ahead && day + ahead < ends),
        );
        expect(isCovered).toBe(true);
        expect(made.filter(([, ends]) => ends <= day - retentionDays)).toEqual([]);
      }
    }),
    { numRuns: 8 },
  );
});

test('pages, reports and single requests are those of the core, wherever the partitions lie', async () => {
  await using opened = new AsyncDisposableStack();
  const { sql, log, keep, moveTo } = await openKeptLog(opened);
  for (let day = 0; day < 12; day += 4) {
    await moveTo(day);
    await keep(14);
  }
  // The two minutes of the random requests and windows become ten days in partitions, and as many before and after.
  const stretch = (ms: number) => epochMs(START_MS - 10 * DAY_MS + (ms - START_MS) * 21_600);
  const widen = (window: Window) => ({ fromMs: stretch(window.fromMs), toMs: stretch(window.toMs) });
  const lists = recordLists(40).map((list) =>
    list.map((record) => ({ ...record, createdAtMs: stretch(record.createdAtMs) })),
  );
  const asked = fc.record({
    query: queries.map((query) => ({
      ...query,
      window: widen(query.window),
      intervalsMs: query.intervalsMs.map((width) => width * 21_600),
    })),
    window: windows.map(widen),
    size: fc.integer({ min: 1, max: 8 }),
    field: fc.constantFrom(...REQUEST_ORDER_FIELDS),
    direction: fc.constantFrom('ascending', 'descending'),
  });
  await fc.assert(
    fc.asyncProperty(lists, asked, async (list, { query, window, size, field, direction }) => {
      await sql`delete from switchyard.request`;
      await sql`delete from switchyard.attempt`;
      await Promise.all(list.map((record) => log.record(record)));
      for (const record of list) expect(await log.find(record.id)).toEqual(record);
      const { view } = query;
      const report = await log.analyse({ ...query, filter: NO_FILTER });
      expectSame(report, analyseRecords(list, { ...query, filter: NO_FILTER }, report.freshUntilMs));
      expectSame(
        await log.statsOf({ provider: providerKey('openai'), window, view }),
        statsOfProvider(list, { provider: providerKey('openai'), window, view }),
      );
      for (const filter of [NO_FILTER, { ...NO_FILTER, window }]) {
        let cursor: string | null = null;
        for (let page = 0; page < 3; page += 1) {
          const wanted = {
            page: { size, direction: 'forward', cursor },
            filter,
            view,
            order: { field, direction },
          } as const;
          const answer = await log.page(wanted);
          expect(answer).toEqual(pageOfRequests(list, wanted));
          if (answer.kind === 'page') cursor = answer.page.items.at(-1)?.cursor ?? cursor;
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('a report of one day reads the partitions of that day alone', async () => {
  await using opened = new AsyncDisposableStack();
  const { sql, keep, moveTo } = await openKeptLog(opened);
  for (const day of [0, 4, 8]) {
    await moveTo(day);
    await keep(14);
  }
  const window = { fromMs: atDay(5), toMs: atDay(6) };
  await sql`begin`;
  await fetchAnalytics(sql, { ...EVERYTHING, window });
  const locked = await sql`
    select c.relname from pg_locks l join pg_class c on c.oid = l.relation
    where l.pid = pg_backend_pid() and c.relkind = 'r' and c.relname ~ '^(request|attempt)_' order by 1`;
  await sql`commit`;
  expect(locked.map(({ relname }) => relname)).toEqual(['attempt_20260106', 'request_20260106']);
});

test('many replicas keep one log while requests come: each is there once, and nobody fails', async () => {
  await using opened = new AsyncDisposableStack();
  const { url, log, moveTo, partitions, keep } = await openKeptLog(opened);
  const replicas = Array.from({ length: 4 }, () => makePostgresUpkeep(opened.use(connectToTest(url))));
  const numbers = Array.from({ length: 600 }, (_, number) => number);
  const recordOf = (number: number) => makeRecord(number, { createdAtMs: atDay((number % 300) / 100) });
  let isOver = false;
  const kinds = new Set<string>();
  const keeping = replicas.map(async ({ keepLog }) => {
    while (!isOver) kinds.add((await keepLog({ retentionDays: 14 })).kind);
  });
  for (let start = 0; start < numbers.length; start += 60) {
    await moveTo((3 * start) / numbers.length);
    await Promise.all(numbers.slice(start, start + 60).map((number) => log.record(recordOf(number))));
  }
  isOver = true;
  await Promise.all(keeping);
  await keep(14);
  expect(kinds).toContain('worked');
  expect((await partitions()).length).toBeGreaterThanOrEqual(6);
  const { totals } = await log.analyse({ ...EVERYTHING, window: { fromMs: atDay(0), toMs: atDay(3) } });
  expect(totals).toMatchObject({ requests: 600, attempts: 600 });
  for (const number of numbers) expect(await log.find(recordOf(number).id)).toEqual(recordOf(number));
});

test('who comes while requests are moved waits a moment, then writes and finds everything', async () => {
  await using opened = new AsyncDisposableStack();
  const { url, sql } = await openKeptLog(opened);
  // Without deadlines: what waits here waits for the test.
  const pool = postgres(url, { max: 4, onnotice: () => undefined });
  opened.defer(() => pool.end({ timeout: 1 }));
  const run = async <Result>(act: (sql: postgres.Sql) => PromiseLike<Result>) => act(pool);
  const log = makePostgresRequestLog({ read: run }, makeRecorder({ record: run }));
  const keeper = postgres(url, { max: 1, onnotice: () => undefined });
  opened.defer(() => keeper.end({ timeout: 1 }));
  for (const number of [1, 2]) await log.record(makeRecord(number));
  await keeper`begin`;
  await keeper`select switchyard.make_log_partition(${'2026-01-01T00:00Z'}::timestamptz, ${'2026-01-02T00:00Z'}::timestamptz)`;
  const recording = log.record(makeRecord(3));
  const finding = log.find(makeRecord(1).id);
  const analysing = log.analyse(EVERYTHING);
  await eventually(async () => {
    const waiting = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return waiting.length === 3;
  });
  await keeper`commit`;
  await recording;
  expect(await finding).toEqual(makeRecord(1));
  expect((await analysing).totals.requests).toBeGreaterThanOrEqual(2);
  expect((await log.analyse(EVERYTHING)).totals).toMatchObject({ requests: 3, attempts: 3 });
  expect(await sql`select from switchyard.request_20260101`).toHaveLength(3);
});

test('who reads for long holds up the keeping, not the writing, and the next call does what was left', async () => {
  await using opened = new AsyncDisposableStack();
  const { url, log, keep, keepLog, moveTo } = await openKeptLog(opened);
  const reader = postgres(url, { max: 1, onnotice: () => undefined });
  opened.defer(() => reader.end({ timeout: 1 }));
  const whileReading = async (act: () => Promise<void>) =>
    reader.begin(async (tx) => {
      await tx`select count(*) from switchyard.request r join switchyard.attempt a on a.request_id = r.id`;
      await act();
    });
  await whileReading(async () => {
    // No partition can be attached, for want of the default partition; what it takes meanwhile waits a moment at most.
    const keeping = keepLog({ retentionDays: 14 });
    await Promise.all([1, 2, 3].map((number) => log.record(makeRecord(number))));
    expect(await keeping).toMatchObject({ kind: 'hindered', why: expect.stringContaining('lock timeout') });
  });
  expect(await keep(14)).toHaveLength(4);
  await moveTo(20);
  await keep(90);
  await whileReading(async () => {
    expect(await keepLog({ retentionDays: 14 })).toMatchObject({ kind: 'hindered' });
    await log.record(makeRecord(4, { createdAtMs: atDay(20) }));
  });
  expect(await log.find(makeRecord(1).id)).not.toBeNull();
  expect(await keep(14)).toHaveLength(4);
  expect(await log.find(makeRecord(1).id)).toBeNull();
  expect(await log.find(makeRecord(4).id)).not.toBeNull();
});

test('more requests of today than can be moved in a moment stay where they are, and the partition begins tomorrow', async () => {
  await using opened = new AsyncDisposableStack();
  const { sql, log, keep, moveTo, partitions } = await openKeptLog(opened);
  await moveTo(0.5);
  await log.record(makeRecord(1));
  await sql`
    insert into switchyard.request
    select made.* from switchyard.request r, generate_series(1, 5000) number,
      jsonb_populate_record(r, jsonb_build_object('id', md5(number::text)::uuid)) made`;
  await keep(90);
  expect(await partitions()).toEqual([[1, 4]]);
  expect((await log.analyse(EVERYTHING)).totals.requests).toBe(5001);
  await moveTo(92);
  const done = await keep(90);
  expect(done).toContain('deleted 5000 old requests of the default partition');
  expect(done).toContain('deleted 1 old requests of the default partition');
  expect(await sql`select from switchyard.request_default`).toHaveLength(0);
  expect(await sql`select from switchyard.attempt_default`).toHaveLength(0);
});
