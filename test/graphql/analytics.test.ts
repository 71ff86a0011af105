import { expect, test } from 'vitest';
import { epochMs, later } from '../../src/core/time.ts';
import { roundInterval } from '../../src/graphql/analytics-desk.ts';
import { ask, startService } from '../http/running-server.ts';

const CHAT = 'mutation { chat(input: { prompt: "hi" }) { __typename } }';

test('totals, groups and every series come out of one snapshot, however the document asks', async () => {
  await using service = await startService();
  await ask(service, CHAT);
  service.gateway.clock.advance(1_000);
  // Another request arrives whenever somebody has read the log: a second look would count one more.
  service.gateway.arrivals = [service.gateway.records[0]!];
  const query = `query {
    analytics(window: { last: "10m" }, groupBy: [PROVIDER, DOOR]) {
      totals { requests attempts successRate costUsd }
      groups { keys { dimension value } metrics { requests } }
      ...Series
      ... { seconds: series(interval: "PT30S") { metrics { requests } } }
    } }
    fragment Series on Analytics { minutes: series(interval: "PT1M") { metrics { requests } } series { metrics { requests } } freshUntil }`;
  const { data, errors } = await ask(service, query);
  expect(errors).toEqual([]);
  const { analytics } = data;
  const sum = (points: { metrics: { requests: number } }[]) =>
    points.reduce((all, point) => all + point.metrics.requests, 0);
  expect(analytics.totals).toEqual({ requests: 1, attempts: 1, successRate: 1, costUsd: '0.0123' });
  expect(analytics.groups).toEqual([
    {
      keys: [
        { dimension: 'PROVIDER', value: 'openai' },
        { dimension: 'DOOR', value: 'graphql' },
      ],
      metrics: { requests: 1 },
    },
  ]);
  expect([sum(analytics.minutes), sum(analytics.seconds), sum(analytics.series)]).toEqual([1, 1, 1]);
  expect([analytics.minutes.length, analytics.seconds.length, analytics.series.length]).toEqual([10, 20, 120]);
  expect(analytics.freshUntil).toBe('2026-01-01T00:00:01.000Z');
});

test('without a window it is the last hour, to the clock of the store', async () => {
  await using service = await startService();
  const { data } = await ask(service, '{ analytics { from to totals { requests successRate latency { p50Ms } } } }');
  expect(data.analytics).toEqual({
    from: '2025-12-31T23:00:00.000Z',
    to: '2026-01-01T00:00:00.000Z',
    totals: { requests: 0, successRate: null, latency: { p50Ms: null } },
  });
});

test.each([
  ['{ analytics(groupBy: [PROVIDER, MODEL, USER]) { from } }', /at most 2 dimensions, got 3/],
  ['{ analytics(groupBy: [USER, USER]) { from } }', /twice/],
  ['{ analytics(limit: 0) { from } }', /`limit` must be from 1 to 200, got 0/],
  ['{ analytics(limit: 201) { from } }', /`limit` must be from 1 to 200/],
  ['{ analytics(window: { last: "500d" }) { from } }', /at most 400 days/],
  [
    '{ analytics(window: { between: { from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" } }) { from } }',
    /later than/,
  ],
  [
    '{ analytics(window: { last: "7d" }) { series(interval: "1s") { at } } }',
    /more than 1000 points: ask for PT15M or wider/,
  ],
  [
    `{ analytics { ${Array.from({ length: 6 }, (_, index) => `s${index}: series(interval: "${index + 1}m") { at }`).join(' ')} } }`,
    /at most 5 different intervals/,
  ],
])('%s is refused, and the refusal says what to ask', async (query, message) => {
  await using service = await startService();
  const { errors } = await ask(service, query);
  expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'INVALID_INPUT' } }]);
});

test('a window is one of its two forms, never both', async () => {
  await using service = await startService();
  const query =
    '{ analytics(window: { last: "1h", between: { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" } }) { from } }';
  expect(await ask(service, query)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
  });
});

test.each([
  [60_000, 1_000],
  [120_000, 1_000],
  [120_001, 5_000],
  [3_600_000, 30_000],
  [86_400_000, 900_000],
  [7 * 86_400_000, 21_600_000],
  [400 * 86_400_000, 604_800_000],
])('a window of %i ms is drawn in points of %i ms', (windowMs, intervalMs) => {
  const fromMs = epochMs(0);
  expect(roundInterval({ fromMs, toMs: later(fromMs, windowMs) })).toBe(intervalMs);
});
