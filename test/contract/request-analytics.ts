import fc from 'fast-check';
import { expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { analyseRecords, statsOfProvider } from '../../src/core/tally.ts';
import { type EpochMs, epochMs } from '../../src/core/time.ts';
import { EVERYBODY } from '../../src/core/view.ts';
import type { RequestLogPort } from '../../src/ports/request-log.ts';
import {
  EVERYTHING,
  makeAttempt,
  makeRecord,
  queries,
  recordLists,
  START_MS,
  views,
  WHOLE_WINDOW,
  windows,
} from '../support/request-records.ts';
import { expectSame } from '../support/same-numbers.ts';

/** The part of the request log's contract that is about numbers. */
export function analyticsContract(
  log: () => RequestLogPort,
  fill: (list: readonly RequestRecord[]) => Promise<void>,
  setNow: (nowMs: EpochMs) => Promise<void>,
): void {
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
      fc.asyncProperty(recordLists(30), windows, views, async (list, window, view) => {
        await fill(list);
        for (const provider of ['openai', 'other', 'nobody'].map(providerKey)) {
          const query = { provider, window, view };
          expectSame(await log().statsOf(query), statsOfProvider(list, query));
        }
      }),
      { numRuns: 60 },
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
    expect(
      (await log().statsOf({ provider: providerKey('openai'), window: WHOLE_WINDOW, view: EVERYBODY })).requests,
    ).toBe(1);
  });
}
