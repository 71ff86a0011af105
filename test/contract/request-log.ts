import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NO_FILTER, type RequestFilter } from '../../src/core/analytics.ts';
import { providerKey, requestId } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { pageOfRequests } from '../../src/core/request-order.ts';
import { REQUEST_ORDER_FIELDS, type RequestOrder, type RequestRecord } from '../../src/core/request-record.ts';
import { analyseRecords, statsOfProvider } from '../../src/core/tally.ts';
import { type EpochMs, epochMs } from '../../src/core/time.ts';
import type { RequestLogPort } from '../../src/ports/request-log.ts';
import {
  EVERYTHING,
  filters,
  makeAttempt,
  makeRecord,
  queries,
  recordLists,
  records,
  START_MS,
  WHOLE_WINDOW,
  windows,
} from '../support/request-records.ts';
import { expectSame } from '../support/same-numbers.ts';

export interface OpenLog extends AsyncDisposable {
  readonly log: RequestLogPort;
  /** Forgets all requests. */
  clear(): Promise<void>;
  /** Moves the store's clock. */
  setNow(nowMs: EpochMs): Promise<void>;
}

const FIRST_PAGE = { size: 50, direction: 'forward', cursor: null } as const;
const NEWEST_FIRST: RequestOrder = { field: 'createdAt', direction: 'descending' };
const ORDERS: readonly RequestOrder[] = REQUEST_ORDER_FIELDS.flatMap((field) => [
  { field, direction: 'ascending' },
  { field, direction: 'descending' },
]);
const RUNS = { numRuns: 60 };

/** What every request log promises. Random requests are asked for from the log and from the core's functions: the answers are the same. */
export function requestLogContract(name: string, open: () => Promise<OpenLog>): void {
  describe(`the request log in ${name}`, () => {
    let opened: OpenLog;
    const log = (): RequestLogPort => opened.log;
    const fill = async (list: readonly RequestRecord[]): Promise<void> => {
      await opened.clear();
      await Promise.all(list.map((record) => log().record(record)));
    };
    beforeAll(async () => {
      opened = await open();
    });
    beforeEach(() => opened.clear());
    afterAll(() => opened[Symbol.asyncDispose]());

    recordingContract(log, fill);
    pageContract(log, fill);
    analyticsContract(log, fill, (nowMs) => opened.setNow(nowMs));
  });
}

type Fill = (list: readonly RequestRecord[]) => Promise<void>;

function recordingContract(log: () => RequestLogPort, fill: Fill): void {
  test('a request comes back as it was recorded', async () => {
    await fc.assert(
      fc.asyncProperty(recordLists(12), async (list) => {
        await fill(list);
        for (const record of list) expect(await log().find(record.id)).toEqual(record);
      }),
      RUNS,
    );
  });

  test('a second record of the same request changes nothing', async () => {
    const first = makeRecord(1);
    await log().record(first);
    const second = makeRecord(1, {
      status: 'failed',
      routing: { ...first.routing, attempts: [makeAttempt(), makeAttempt({ number: 2 })] },
    });
    await log().record(second);
    expect(await log().find(first.id)).toEqual(first);
    expect((await log().analyse(EVERYTHING)).totals).toMatchObject({ requests: 1, succeeded: 1, attempts: 1 });
  });

  test('the same request recorded many times at once counts once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => log().record(makeRecord(1))));
    expect((await log().analyse(EVERYTHING)).totals).toMatchObject({ requests: 1, attempts: 1 });
  });

  test('a request that nobody recorded is not found, and neither is what is no id', async () => {
    await log().record(makeRecord(0xabc));
    for (const id of [makeRecord(2).id, 'req_1', '', "'; drop table request", makeRecord(0xabc).id.toUpperCase()]) {
      expect(await log().find(requestId(id))).toBeNull();
    }
  });

  test('text that no database can keep loses no request', async () => {
    const record = makeRecord(1, {
      userId: 'a\0b\uD800',
      metadata: { 'na\0me': 'va\0lue\uDC00', backslash: '\\u0000' },
      routing: { ...makeRecord(1).routing, attempts: [makeAttempt({ errorMessage: 'NUL \0 in the reply' })] },
    });
    await log().record(record);
    const filter = { ...NO_FILTER, userId: 'a\0b\uD800', metadata: record.metadata };
    const answer = await log().page({ page: FIRST_PAGE, filter, order: NEWEST_FIRST });
    expect(answer).toMatchObject({ kind: 'page', page: { items: [{ item: { id: record.id } }] } });
  });

  test('a sum of money beyond 64 bits is exact', async () => {
    const total = picoUsd(9_000_000_000_000_000_001n);
    await fill([1, 2, 3].map((number) => makeRecord(number, { cost: { ...makeRecord(number).cost, total } })));
    expect((await log().analyse(EVERYTHING)).totals.cost).toBe(27_000_000_000_000_000_003n);
  });
}

function pageContract(log: () => RequestLogPort, fill: Fill): void {
  test('pages answer as the core does, whatever the filter, the order and the direction', async () => {
    const asked = fc.record({
      filter: filters,
      order: fc.constantFrom(...ORDERS),
      size: fc.integer({ min: 1, max: 8 }),
      direction: fc.constantFrom('forward', 'backward'),
      pages: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(recordLists(24), asked, async (list, { filter, order, size, direction, pages }) => {
        await fill(list);
        let cursor: string | null = null;
        for (let page = 0; page < pages; page += 1) {
          const query = { page: { size, direction, cursor }, filter, order };
          const answer = await log().page(query);
          expect(answer).toEqual(pageOfRequests(list, query));
          if (answer.kind === 'page') cursor = answer.page.items.at(direction === 'forward' ? -1 : 0)?.cursor ?? null;
        }
      }),
      RUNS,
    );
  });

  test.each(ORDERS)('pages by $field $direction show every request once while others arrive', async (order) => {
    const walks = fc.record({
      size: fc.integer({ min: 1, max: 5 }),
      direction: fc.constantFrom('forward', 'backward'),
      arriving: fc.array(records, { maxLength: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(recordLists(16), walks, async (list, { size, direction, arriving }) => {
        await fill(list);
        const seen = await walk(log(), { order, size, direction, arriving });
        expect(new Set(seen).size).toBe(seen.length);
        const whole = pageOfRequests(list, { page: { ...FIRST_PAGE, size: 200 }, filter: NO_FILTER, order });
        const ids: readonly string[] = whole.kind === 'page' ? whole.page.items.map(({ item }) => item.id) : [];
        expect(seen.filter((id) => ids.includes(id))).toEqual(ids);
      }),
      { numRuns: 25 },
    );
  });

  test('what costs or takes exactly the least is shown, what arrives at the end of the window is not', async () => {
    await fill([1, 2].map((number) => makeRecord(number)));
    const { cost, timing, createdAtMs } = makeRecord(2);
    const window = { fromMs: makeRecord(1).createdAtMs, toMs: createdAtMs };
    const shown = async (filter: Partial<RequestFilter>): Promise<readonly number[]> => {
      const answer = await log().page({ page: FIRST_PAGE, filter: { ...NO_FILTER, ...filter }, order: NEWEST_FIRST });
      return answer.kind === 'page' ? answer.page.items.map(({ item }) => item.createdAtMs - START_MS) : [];
    };
    expect(await shown({ costMin: cost.total, totalMsMin: timing.totalMs })).toEqual([2, 1]);
    expect(await shown({ costMin: picoUsd(cost.total + 1n) })).toEqual([]);
    expect(await shown({ window })).toEqual([1]);
    expect((await log().analyse({ ...EVERYTHING, window })).totals.requests).toBe(1);
  });

  test('the page knows whether there is more on either side', async () => {
    await fill([1, 2, 3].map((number) => makeRecord(number)));
    const query = { page: { ...FIRST_PAGE, size: 1 }, filter: NO_FILTER, order: NEWEST_FIRST };
    const first = await log().page(query);
    expect(first).toMatchObject({ page: { hasNext: true, hasPrevious: false } });
    const cursor = first.kind === 'page' ? (first.page.items[0]?.cursor ?? null) : null;
    expect(await log().page({ ...query, page: { ...query.page, cursor } })).toMatchObject({
      page: { items: [{ item: { id: makeRecord(2).id } }], hasNext: true, hasPrevious: true },
    });
  });

  test('a cursor of another order, or of nobody, is refused', async () => {
    await fill([makeRecord(1)]);
    const answer = await log().page({ page: FIRST_PAGE, filter: NO_FILTER, order: NEWEST_FIRST });
    const given = answer.kind === 'page' ? (answer.page.items[0]?.cursor ?? '') : '';
    expect(given).toMatch(/^[\w-]+$/);
    const others = ORDERS.filter(({ field, direction }) => `${field} ${direction}` !== 'createdAt descending');
    for (const order of others) {
      const page = { ...FIRST_PAGE, cursor: given };
      expect(await log().page({ page, filter: NO_FILTER, order })).toEqual({ kind: 'badCursor' });
    }
    for (const cursor of ['', 'x', '%', given.slice(0, -4), btoa('[]'), btoa('null'), 'A'.repeat(10_000)]) {
      const page = { ...FIRST_PAGE, cursor };
      expect(await log().page({ page, filter: NO_FILTER, order: NEWEST_FIRST })).toEqual({ kind: 'badCursor' });
    }
  });
}

function analyticsContract(log: () => RequestLogPort, fill: Fill, setNow: (nowMs: EpochMs) => Promise<void>): void {
  test('analytics are those of the core, whatever is asked', async () => {
    await fc.assert(
      fc.asyncProperty(recordLists(40), queries, async (list, query) => {
        await fill(list);
        const report = await log().analyse(query);
        expectSame(report, analyseRecords(list, query, report.freshUntilMs));
      }),
      { numRuns: 150 },
    );
  });

  test('the numbers of a provider are those of the core', async () => {
    await fc.assert(
      fc.asyncProperty(recordLists(30), windows, async (list, window) => {
        await fill(list);
        for (const provider of ['openai', 'other', 'nobody'].map(providerKey)) {
          expectSame(await log().statsOf(provider, window), statsOfProvider(list, provider, window));
        }
      }),
      RUNS,
    );
  });

  test('one request with one fallback counts as one request and two attempts', async () => {
    const attempts = [
      makeAttempt({ outcome: 'timedOut', provider: providerKey('google') }),
      makeAttempt({ number: 2 }),
    ];
    await fill([makeRecord(1, { fellBack: true, routing: { ...makeRecord(1).routing, attempts } })]);
    const { totals, groups } = await log().analyse({ ...EVERYTHING, groupBy: ['provider'] });
    expect(totals).toMatchObject({ requests: 1, rescued: 1, attempts: 2, attemptsFailed: 1 });
    expect(groups).toMatchObject([
      { keys: ['openai'], metrics: { requests: 1, attempts: 1, attemptsFailed: 0 } },
      { keys: ['google'], metrics: { requests: 0, attempts: 1, attemptsFailed: 1 } },
    ]);
  });

  test('numbers are fresh until the moment at which the store was asked, by its own clock', async () => {
    const nowMs = epochMs(START_MS + 86_400_123);
    await setNow(nowMs);
    await log().record(makeRecord(1));
    expect(await log().analyse(EVERYTHING)).toMatchObject({ freshUntilMs: nowMs, totals: { requests: 1 } });
  });

  test('totals, groups and points add up while requests arrive', async () => {
    const arrivals = Array.from({ length: 40 }, (_, number) => log().record(makeRecord(number)));
    const query = { ...EVERYTHING, groupBy: ['provider'] as const, intervalsMs: [1_000, 60_000] };
    const reports = await Promise.all(Array.from({ length: 8 }, () => log().analyse(query)));
    await Promise.all(arrivals);
    for (const { totals, groups, series } of reports) {
      for (const parts of [groups, ...series]) {
        expect(parts.reduce((sum, { metrics }) => sum + metrics.requests, 0)).toBe(totals.requests);
        expect(parts.reduce((sum, { metrics }) => sum + metrics.attempts, 0)).toBe(totals.attempts);
      }
    }
  });

  test('windows far from our time are only empty', async () => {
    await fill([makeRecord(1)]);
    const ages = [-8_640_000_000_000_000, -1, 0, START_MS, 8_640_000_000_000_000].map(epochMs);
    const found = await Promise.all(
      ages
        .slice(1)
        .map((toMs, index) => log().analyse({ ...EVERYTHING, window: { fromMs: ages[index] ?? toMs, toMs } })),
    );
    expect(found.map(({ totals }) => totals.requests)).toEqual([0, 0, 0, 1]);
    expect((await log().statsOf(providerKey('openai'), WHOLE_WINDOW)).requests).toBe(1);
  });
}

/** Follows the cursors to the end, while a request arrives after each page. Gives the ids in the order of the list. */
async function walk(
  log: RequestLogPort,
  how: {
    readonly order: RequestOrder;
    readonly size: number;
    readonly direction: 'forward' | 'backward';
    readonly arriving: readonly RequestRecord[];
  },
): Promise<readonly string[]> {
  const { order, size, direction } = how;
  const arriving = how.arriving.values();
  const pages: (readonly string[])[] = [];
  let cursor: string | null = null;
  for (let hasMore = true; hasMore; ) {
    const answer = await log.page({ page: { size, direction, cursor }, filter: NO_FILTER, order });
    if (answer.kind === 'badCursor') throw new Error('our own cursor was refused');
    const { items, hasNext, hasPrevious } = answer.page;
    pages.push(items.map(({ item }) => item.id));
    cursor = items.at(direction === 'forward' ? -1 : 0)?.cursor ?? cursor;
    hasMore = direction === 'forward' ? hasNext : hasPrevious;
    const next = arriving.next();
    if (!next.done) await log.record(next.value);
  }
  return direction === 'forward' ? pages.flat() : pages.toReversed().flat();
}
