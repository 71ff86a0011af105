import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANALYTICS_LIMITS,
  type LatencyStats,
  type MetricSet,
  OTHER_VALUE,
  type ViewedQuery,
} from '../../src/core/analytics.ts';
import { providerKey } from '../../src/core/ids.ts';
import { latencyOf, NO_METRICS, percentileOf } from '../../src/core/metric-set.ts';
import { picoUsd } from '../../src/core/money.ts';
import { isMatch, isWithin } from '../../src/core/request-filter.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { analyseRecords, pointTimesOf, statsOfProvider } from '../../src/core/tally.ts';
import { epochMs } from '../../src/core/time.ts';
import { EVERYBODY, isSeen } from '../../src/core/view.ts';
import {
  EVERYTHING,
  makeAttempt,
  makeRecord,
  queries,
  recordLists,
  START_MS,
  WHOLE_WINDOW,
} from '../support/request-records.ts';

const RUNS = { numRuns: 2_000 };
const NOW_MS = epochMs(START_MS + 200_000);

const google = providerKey('google');
const openai = providerKey('openai');

/** openai failed first, google answered: the seed counted this as two requests. */
const fallback = makeRecord(1, {
  provider: google,
  model: 'gemini-pro',
  fellBack: true,
  routing: {
    ...makeRecord(1).routing,
    attempts: [
      makeAttempt({ outcome: 'providerError', httpStatus: 500, errorMessage: 'boom' }),
      makeAttempt({ number: 2, provider: google, model: 'gemini-pro' }),
    ],
  },
});

const COUNTS = [
  'requests',
  'succeeded',
  'failed',
  'refused',
  'rescued',
  'attempts',
  'attemptsFailed',
  'inputTokens',
  'outputTokens',
] as const satisfies readonly (keyof MetricSet)[];

function analyse(records: readonly RequestRecord[], query: Partial<ViewedQuery> = {}) {
  return analyseRecords(records, { ...EVERYTHING, ...query }, NOW_MS);
}

/** What can be added up: everything but the distributions. */
function sumOf(sets: readonly MetricSet[]) {
  const counts = COUNTS.map((name) => sets.reduce((sum, set) => sum + set[name], 0));
  const cost = sets.reduce((sum, set) => sum + set.cost, 0n);
  return { counts, cost, saved: sets.reduce((sum, set) => sum + set.saved, 0n) };
}

describe('requests and attempts', () => {
  test('one request with one fallback counts as one request and two attempts', () => {
    const { totals } = analyse([fallback]);
    expect(totals).toMatchObject({ requests: 1, succeeded: 1, failed: 0, rescued: 1, attempts: 2, attemptsFailed: 1 });
  });

  test('an attempt belongs to the provider that was called, its request to the one that answered', () => {
    const { groups } = analyse([fallback], { groupBy: ['provider'] });
    expect(
      groups.map(({ keys, metrics }) => [keys, metrics.requests, metrics.attempts, metrics.attemptsFailed]),
    ).toEqual([
      [['google'], 1, 1, 0],
      [['openai'], 0, 1, 1],
    ]);
  });

  test('the numbers of a provider hold the requests it answered and all attempts on it', () => {
    expect(statsOfProvider([fallback], { provider: openai, window: WHOLE_WINDOW, view: EVERYBODY })).toMatchObject({
      requests: 0,
      attempts: 1,
      attemptsFailed: 1,
    });
    expect(statsOfProvider([fallback], { provider: google, window: WHOLE_WINDOW, view: EVERYBODY })).toMatchObject({
      requests: 1,
      attempts: 1,
      attemptsFailed: 0,
    });
  });

  test('a cancelled request counts as failed, a refused one does not', () => {
    const cancelled = makeRecord(1, { status: 'cancelled' });
    const refused = makeRecord(2, {
      status: 'refused',
      provider: null,
      model: null,
      routing: { ...makeRecord(2).routing, attempts: [] },
    });
    expect(analyse([cancelled, refused]).totals).toMatchObject({ requests: 2, succeeded: 0, failed: 1, refused: 1 });
    expect(analyse([refused], { groupBy: ['provider', 'user'] }).groups.map(({ keys }) => keys)).toEqual([
      ['none', 'none'],
    ]);
  });

  test('latency is of answered requests, time to the first token of streamed ones, overhead of all', () => {
    const timing = { totalMs: 100, timeToFirstTokenMs: null, upstreamMs: 90, overheadMs: 10 };
    const answered = makeRecord(1, { timing });
    const streamed = makeRecord(2, { isStreamed: true, timing: { ...timing, totalMs: 200, timeToFirstTokenMs: 40 } });
    const failed = makeRecord(3, { status: 'failed', timing: { ...timing, totalMs: 9_000, overheadMs: 40 } });
    const { totals } = analyse([answered, streamed, failed]);
    expect(totals.latency).toEqual({ meanMs: 150, p50Ms: 150, p90Ms: 190, p95Ms: 195, p99Ms: 199, maxMs: 200 });
    expect(totals.timeToFirstToken).toMatchObject({ meanMs: 40, p99Ms: 40, maxMs: 40 });
    expect(totals.overhead).toMatchObject({ meanMs: 20, p50Ms: 10, maxMs: 40 });
  });
});

describe('sums', () => {
  test('the groups add up to the totals, whatever they are grouped by and however many are folded', () => {
    fc.assert(
      fc.property(recordLists(30), queries, (records, query) => {
        fc.pre(query.groupBy.length > 0);
        const { totals, groups } = analyseRecords(records, query, NOW_MS);
        expect(sumOf(groups.map((group) => group.metrics))).toEqual(sumOf([totals]));
        expect(groups.length).toBeLessThanOrEqual(query.groupsMax + 1);
        expect(new Set(groups.map(({ keys }) => JSON.stringify(keys))).size).toBe(groups.length);
      }),
      RUNS,
    );
  });

  test('the points of a series cover the window and add up to the totals', () => {
    fc.assert(
      fc.property(recordLists(30), queries, (records, query) => {
        const { totals, series } = analyseRecords(records, query, NOW_MS);
        for (const [index, points] of series.entries()) {
          expect(sumOf(points.map((point) => point.metrics))).toEqual(sumOf([totals]));
          expect(points.map(({ atMs }) => atMs)).toEqual(pointTimesOf(query.window, query.intervalsMs[index] ?? 1));
        }
      }),
      RUNS,
    );
  });

  test('the totals count exactly the requests that are in the window and match', () => {
    fc.assert(
      fc.property(recordLists(30), queries, (records, query) => {
        const seen = records.filter((one) => isSeen(one, query.view));
        const wanted = seen.filter((one) => isWithin(one.createdAtMs, query.window) && isMatch(one, query.filter));
        const { totals } = analyseRecords(records, query, NOW_MS);
        expect(totals.requests).toBe(wanted.length);
        expect(totals.requests).toBe(totals.succeeded + totals.failed + totals.refused);
        expect(totals.attempts).toBe(wanted.reduce((sum, record) => sum + record.routing.attempts.length, 0));
      }),
      RUNS,
    );
  });
});

describe('groups', () => {
  test('most requests come first, then most attempts, then the keys in order', () => {
    fc.assert(
      fc.property(recordLists(30), queries, (records, query) => {
        const { groups } = analyseRecords(records, query, NOW_MS);
        const named = groups.filter(({ keys }) => keys.some((key) => key !== OTHER_VALUE));
        for (const [index, group] of named.entries()) {
          const next = named[index + 1];
          if (next === undefined) continue;
          const [requests, attempts] = [group.metrics.requests, group.metrics.attempts];
          expect(requests).toBeGreaterThanOrEqual(next.metrics.requests);
          if (requests === next.metrics.requests) expect(attempts).toBeGreaterThanOrEqual(next.metrics.attempts);
        }
        expect(groups.findIndex(({ keys }) => keys.every((key) => key === OTHER_VALUE))).toBeOneOf([
          -1,
          groups.length - 1,
        ]);
      }),
      RUNS,
    );
  });

  test('groups of equal size stand in the order of code points', () => {
    const users = ['\u{1F600}', '\uFF5E', 'b', 'a', 'B'];
    const records = users.map((userId, index) => makeRecord(index, { userId }));
    expect(analyse(records, { groupBy: ['user'] }).groups.map(({ keys }) => keys[0])).toEqual([
      'B',
      'a',
      'b',
      '\uFF5E',
      '\u{1F600}',
    ]);
  });

  test('the percentiles of the folded rest are those of its requests, not averages of its groups', () => {
    const record = (number: number, userId: string, totalMs: number) =>
      makeRecord(number, { userId, timing: { totalMs, timeToFirstTokenMs: null, upstreamMs: 1, overheadMs: 1 } });
    const records = [
      ...[1, 2, 3, 4].map((number) => record(number, 'ann', 1)),
      ...[5, 6, 7].map((number) => record(number, 'bob', 10)),
      record(8, 'cid', 1_000),
    ];
    const [first, rest] = analyse(records, { groupBy: ['user'], groupsMax: 1 }).groups;
    expect(first?.keys).toEqual(['ann']);
    expect(rest).toMatchObject({ keys: ['other'], metrics: { requests: 4, latency: { p50Ms: 10, maxMs: 1_000 } } });
  });

  test('a user who is called other is counted with the rest, so that no name appears twice', () => {
    const records = ['other', 'other', 'ann', 'bob'].map((userId, index) => makeRecord(index, { userId }));
    const { groups } = analyse(records, { groupBy: ['user'], groupsMax: 1 });
    expect(groups.map(({ keys, metrics }) => [keys, metrics.requests])).toEqual([
      [['ann'], 1],
      [['other'], 3],
    ]);
  });
});

describe('distributions', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });

  test('percentiles lie between the smallest and the largest value and never fall', () => {
    fc.assert(
      fc.property(values, (timesMs) => {
        const { p50Ms, p90Ms, p95Ms, p99Ms, maxMs } = latencyOf(timesMs);
        const rising = [Math.min(...timesMs), p50Ms, p90Ms, p95Ms, p99Ms, maxMs].map(Number);
        expect(rising).toEqual(rising.toSorted((first, second) => first - second));
        expect(maxMs).toBe(Math.max(...timesMs));
      }),
      RUNS,
    );
  });

  test('a distribution does not depend on the order of its values', () => {
    fc.assert(
      fc.property(values, (timesMs) => {
        expect(latencyOf(timesMs.toReversed())).toEqual(latencyOf(timesMs));
      }),
      RUNS,
    );
  });

  test('a percentile between two values is interpolated', () => {
    expect(percentileOf([10, 20, 30, 40], 0.5)).toBe(25);
    expect(percentileOf([10, 20], 0.9)).toBe(19);
    expect(percentileOf([7], 0.99)).toBe(7);
  });

  test('without data all is null, not zero', () => {
    const nothing: LatencyStats = { meanMs: null, p50Ms: null, p90Ms: null, p95Ms: null, p99Ms: null, maxMs: null };
    expect(latencyOf([])).toEqual(nothing);
    expect(analyse([]).totals).toEqual({ ...NO_METRICS, latency: nothing });
  });
});

describe('windows', () => {
  test('the end of a window is not part of it', () => {
    const records = [0, 999, 1_000].map((ms) => makeRecord(ms, { createdAtMs: epochMs(START_MS + ms) }));
    const window = { fromMs: START_MS, toMs: epochMs(START_MS + 1_000) };
    expect(analyse(records, { window }).totals.requests).toBe(2);
  });

  test('points start at the window, and the last one is cut off by its end', () => {
    const records = [0, 400, 999].map((ms) =>
      makeRecord(ms, { createdAtMs: epochMs(START_MS + ms), cost: makeRecord(0).cost }),
    );
    const window = { fromMs: START_MS, toMs: epochMs(START_MS + 1_000) };
    const [points] = analyse(records, { window, intervalsMs: [300] }).series;
    expect(points?.map(({ atMs, metrics }) => [atMs - START_MS, metrics.requests, metrics.cost])).toEqual([
      [0, 1, picoUsd(600n)],
      [300, 1, picoUsd(600n)],
      [600, 0, picoUsd(0n)],
      [900, 1, picoUsd(600n)],
    ]);
  });

  test('a window that ends before it starts holds nothing', () => {
    const window = { fromMs: epochMs(START_MS + 9), toMs: START_MS };
    expect(analyse([fallback], { window, intervalsMs: [1] })).toMatchObject({ totals: { requests: 0 }, series: [[]] });
  });

  test('a query beyond the limits is a bug of the door and throws', () => {
    const tooFine = { intervalsMs: [1] };
    const tooMany = { groupsMax: ANALYTICS_LIMITS.groupsMax + 1 };
    const tooDeep: Partial<ViewedQuery> = { groupBy: ['provider', 'model', 'user'] };
    for (const query of [tooFine, tooMany, tooDeep]) expect(() => analyse([], query)).toThrow(RangeError);
  });
});
