import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NO_FILTER, type RequestFilter } from '../../src/core/analytics.ts';
import { requestId } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { pageOfRequests } from '../../src/core/request-order.ts';
import { REQUEST_ORDER_FIELDS, type RequestOrder, type RequestRecord } from '../../src/core/request-record.ts';
import type { EpochMs } from '../../src/core/time.ts';
import { EVERYBODY } from '../../src/core/view.ts';
import type { RequestLogPort } from '../../src/ports/request-log.ts';
import {
  EVERYTHING,
  filters,
  makeAttempt,
  makeRecord,
  recordLists,
  records,
  START_MS,
  views,
} from '../support/request-records.ts';
import { analyticsContract } from './request-analytics.ts';

export interface OpenLog extends AsyncDisposable {
  readonly log: RequestLogPort;
  /** Forgets all requests. */
  clear(): Promise<void>;
  /** Moves the store's clock. */
  setNow(nowMs: EpochMs): Promise<void>;
}

const FIRST_PAGE = { size: 50, direction: 'forward', cursor: null } as const;
const ALL = { filter: NO_FILTER, view: EVERYBODY } as const;
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
    const answer = await log().page({ page: FIRST_PAGE, filter, order: NEWEST_FIRST, view: EVERYBODY });
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
      filter: fc.oneof(fc.constant(NO_FILTER), filters),
      view: views,
      order: fc.constantFrom(...ORDERS),
      size: fc.integer({ min: 1, max: 8 }),
      direction: fc.constantFrom('forward', 'backward'),
      pages: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(recordLists(24), asked, async (list, { filter, view, order, size, direction, pages }) => {
        await fill(list);
        let cursor: string | null = null;
        for (let page = 0; page < pages; page += 1) {
          const query = { page: { size, direction, cursor }, filter, order, view };
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
        const whole = pageOfRequests(list, { page: { ...FIRST_PAGE, size: 200 }, ...ALL, order });
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
      const answer = await log().page({
        page: FIRST_PAGE,
        filter: { ...NO_FILTER, ...filter },
        order: NEWEST_FIRST,
        view: EVERYBODY,
      });
      return answer.kind === 'page' ? answer.page.items.map(({ item }) => item.createdAtMs - START_MS) : [];
    };
    expect(await shown({ costMin: cost.total, totalMsMin: timing.totalMs })).toEqual([2, 1]);
    expect(await shown({ costMin: picoUsd(cost.total + 1n) })).toEqual([]);
    expect(await shown({ window })).toEqual([1]);
    expect((await log().analyse({ ...EVERYTHING, window })).totals.requests).toBe(1);
  });

  test('the page knows whether there is more on either side', async () => {
    await fill([1, 2, 3].map((number) => makeRecord(number)));
    const query = { page: { ...FIRST_PAGE, size: 1 }, ...ALL, order: NEWEST_FIRST };
    const first = await log().page(query);
    expect(first).toMatchObject({ page: { hasNext: true, hasPrevious: false } });
    const cursor = first.kind === 'page' ? (first.page.items[0]?.cursor ?? null) : null;
    expect(await log().page({ ...query, page: { ...query.page, cursor } })).toMatchObject({
      page: { items: [{ item: { id: makeRecord(2).id } }], hasNext: true, hasPrevious: true },
    });
  });

  test('a cursor of another order, or of nobody, is refused', async () => {
    await fill([makeRecord(1)]);
    const answer = await log().page({ page: FIRST_PAGE, ...ALL, order: NEWEST_FIRST });
    const given = answer.kind === 'page' ? (answer.page.items[0]?.cursor ?? '') : '';
    expect(given).toMatch(/^[\w-]+$/);
    const others = ORDERS.filter(({ field, direction }) => `${field} ${direction}` !== 'createdAt descending');
    for (const order of others) {
      const page = { ...FIRST_PAGE, cursor: given };
      expect(await log().page({ page, ...ALL, order })).toEqual({ kind: 'badCursor' });
    }
    for (const cursor of ['', 'x', '%', given.slice(0, -4), btoa('[]'), btoa('null'), 'A'.repeat(10_000)]) {
      const page = { ...FIRST_PAGE, cursor };
      expect(await log().page({ page, ...ALL, order: NEWEST_FIRST })).toEqual({ kind: 'badCursor' });
    }
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
    const answer = await log.page({ page: { size, direction, cursor }, ...ALL, order });
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
