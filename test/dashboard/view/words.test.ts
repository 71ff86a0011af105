import { describe, expect, test } from 'vitest';
import { LIMITS, type TickPoint } from '../../../dashboard/model/room-state.ts';
import { LATENCY, pathThrough, spendPlan, summaryOf, tableRows } from '../../../dashboard/view/chart-plans.ts';
import { niceStep, pathOf, scaleOf } from '../../../dashboard/view/chart-scale.ts';
import { headlineOf } from '../../../dashboard/view/headline.ts';
import { moneyText, moneyTextShort } from '../../../dashboard/view/money-text.ts';
import { makeNewsPacer, NEWS_EVERY_MS } from '../../../dashboard/view/news-pacer.ts';
import {
  counted,
  countText,
  listText,
  rateText,
  shareText,
  shareTextShort,
} from '../../../dashboard/view/number-text.ts';
import { operationBar, simulationBar } from '../../../dashboard/view/permission.ts';
import { reasonOf, simulationText, standingOf } from '../../../dashboard/view/provider-words.ts';
import { linkedRequest, requestLink } from '../../../dashboard/view/request-link.ts';
import { clockTextShort, countdownText, spanText } from '../../../dashboard/view/time-text.ts';
import { GOOGLE, makeCard, NOW_MS, OPEN, OPENAI, OPENED, PROVIDERS, SERIES } from './cast.ts';
import { GATEWAY, SCENES } from './scenes.ts';

/** As a person reads it: a gap that keeps a number with its unit is a gap. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('numbers', () => {
  test('are short, and never rounded to nothing or to all', () => {
    expect([0, 7, 1_204, 99_999, 1_240_000].map(countText)).toEqual(['0', '7', '1,204', '99,999', '1.2M']);
    expect([0, 0.01, 0.4, 9.96, 33.2, 5_116.8].map(rateText)).toEqual(['0.0', '<0.1', '0.4', '10.0', '33', '5,117']);
    expect([null, 0, 0.0004, 0.004, 0.99996, 1].map((share) => plain(shareText(share)))).toEqual([
      '–',
      '0 %',
      '<0.1 %',
      '0.4 %',
      '99.9 %',
      '100 %',
    ]);
    expect([0.004, 0.62, 0.996, 1].map((share) => plain(shareTextShort(share)))).toEqual([
      '<1 %',
      '62 %',
      '99 %',
      '100 %',
    ]);
    expect([counted(1, 'failure'), counted(3, 'failure')].map(plain)).toEqual(['1 failure', '3 failures']);
    expect([listText([]), listText(['a']), listText(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']);
  });

  test('of money are exact where it counts, and short at a glance', () => {
    expect(['0', '1', '0.0004150021', '8123456.789012345678', '0.500', null].map(moneyText)).toEqual([
      '$0.00',
      '$1.00',
      '$0.0004150021',
      '$8,123,456.789012345678',
      '$0.50',
      '–',
    ]);
    expect(['0', '0.0021', '0.0000004', '0.81', '4.1052', '123456.78'].map(moneyTextShort)).toEqual([
      '$0',
      '$0.0021',
      '<$0.000001',
      '$0.81',
      '$4.11',
      '$123,457',
    ]);
    expect(moneyText('-0.25')).toBe('−$0.25');
  });

  test('of time have the unit that fits', () => {
    const spans = [null, 0, 812, 1_800, 2_000, 42_400, 59_700, 184_000, 32_400_000, 183_600_000];
    expect(spans.map((ms) => plain(spanText(ms)))).toEqual([
      '–',
      '0 ms',
      '812 ms',
      '1.8 s',
      '2 s',
      '42 s',
      '1 min',
      '3 min 4 s',
      '9 h',
      '2 d 3 h',
    ]);
    expect([-5, 400, 41_000, 3_723_000].map(countdownText)).toEqual(['0:00', '0:01', '0:41', '1:02:03']);
  });
});

describe('the headline', () => {
  const said = (providers: Parameters<typeof headlineOf>[0]) => {
    const { tone, title, details } = headlineOf(providers);
    return [tone, plain(title), ...details.map(plain)];
  };

  test('says that all is well, and who is left out', () => {
    expect(said(PROVIDERS)).toEqual(['calm', 'All 4 providers answer.']);
    expect(said([OPENAI])).toEqual(['calm', 'The only provider in use answers.']);
    expect(said([OPENAI, GOOGLE, makeCard('groq', 'Groq', { isEnabled: false })])).toEqual([
      'calm',
      'All 2 providers answer; Groq is switched off.',
    ]);
  });

  test('says who is broken and why', () => {
    expect(said([OPENAI, OPENED, GOOGLE])).toEqual([
      'broken',
      'Anthropic takes no traffic: 3 failures in a row, last: timed out after 2 s. The other 2 answer.',
    ]);
    expect(said(SCENES.broken.providers)).toEqual([
      'broken',
      'Anthropic takes no traffic. The other 2 answer.',
      'Anthropic: 3 failures in a row, last: timed out after 2 s.',
      'Google: one probe is under way.',
    ]);
    expect(said([OPENED])).toEqual([
      'broken',
      'Anthropic takes no traffic: 3 failures in a row, last: timed out after 2 s. No other is in use.',
    ]);
    expect(said([{ ...OPENAI, isEnabled: false }])[0]).toBe('broken');
  });

  test('counts whom we have no credentials for, and who asked us to wait, among those that do not answer', () => {
    const message = 'HTTP 401: invalid key.';
    const lastFailure = { atMs: NOW_MS, outcome: 'PROVIDER_ERROR', durationMs: 20, message } as const;
    const refused = { ...OPENAI, health: 'DISABLED', lastFailure } as const;
    const waiting = { ...GOOGLE, health: 'DEGRADED' } as const;
    expect(said([refused, GOOGLE, OPENED])).toEqual([
      'broken',
      'OpenAI and Anthropic take no traffic. One other answers.',
      'OpenAI: it refused our credentials (HTTP 401: invalid key); check its key.',
      'Anthropic: 3 failures in a row, last: timed out after 2 s.',
    ]);
    expect(said([refused, GOOGLE])[1]).toBe(
      'OpenAI takes no traffic: it refused our credentials (HTTP 401: invalid key); check its key. One other answers.',
    );
    expect(said([OPENAI, waiting])).toEqual([
      'warned',
      'Google takes no traffic: it asked us to wait. One other answers.',
    ]);
    expect(said([{ ...refused, health: 'HEALTHY' }, GOOGLE])).toEqual(['calm', 'All 2 providers answer.']);
    // Other troubles are told for what they are.
    const failing = { ...waiting, breaker: { ...GOOGLE.breaker, consecutiveFailures: 1 } };
    expect([refused, waiting, failing, { ...refused, isEnabled: false }].map(standingOf)).toEqual([
      'SET_ASIDE',
      'WAITING',
      'CLOSED',
      'OFF',
    ]);
  });

  test('tells a failure on purpose from a real one', () => {
    const until = clockTextShort(NOW_MS + 240_000);
    expect(said(SCENES.simulated.providers)[1]).toBe(
      `OpenAI takes no traffic: 3 failures in a row, simulated (timeout) until ${until}. The other 2 answer.`,
    );
    const { simulation } = SCENES.simulated.providers[0];
    expect(said([{ ...OPENAI, simulation }, GOOGLE])).toEqual(['warned', 'OpenAI fails on purpose.']);
    expect(plain(simulationText(simulation))).toBe(
      `Simulated until ${until}: no answer until the time limit, on every call. 14 so far.`,
    );
    const lastChange = { ...OPEN.lastChange!, cause: 'PROBE_FAILED' as const };
    expect(plain(reasonOf({ ...OPENED, breaker: { ...OPEN, lastChange } }))).toBe(
      'the last probe failed: it timed out after 2 s',
    );
  });
});

describe('news of breakers', () => {
  /** A pacer with a clock of its own. `goTo` moves it, and calls what was waited for. */
  function makePaced() {
    const said: string[] = [];
    let nowMs = 0;
    let due: { readonly atMs: number; readonly callback: () => void } | null = null;
    const pacer = makeNewsPacer({
      say: (text) => said.push(plain(text)),
      nowMs: () => nowMs,
      wait: (callback, ms) => {
        due = { atMs: nowMs + ms, callback };
        return () => {
          due = null;
        };
      },
    });
    const goTo = (ms: number) => {
      nowMs = ms;
      if (due === null || due.atMs > nowMs) return;
      const { callback } = due;
      due = null;
      callback();
    };
    return { pacer, said, goTo, isWaiting: () => due !== null };
  }

  const open = makeCard('openai', 'OpenAI', { breaker: OPEN });
  const closed = makeCard('openai', 'OpenAI');

  test('tell a change once, and what stood there at first not at all', () => {
    const { pacer, said } = makePaced();
    pacer.look([closed, GOOGLE]);
    pacer.look([open, GOOGLE]);
    pacer.look([{ ...open, trafficShare: 0 }, GOOGLE]);
    expect(said).toEqual(['OpenAI is open and takes no traffic: 3 failures in a row.']);
  });

  test('bundle what comes within five seconds, and forget what went back', () => {
    const { pacer, said, goTo, isWaiting } = makePaced();
    pacer.look([closed, GOOGLE]);
    pacer.look([open, GOOGLE]);
    goTo(1_000);
    pacer.look([closed, { ...GOOGLE, breaker: OPEN }]);
    pacer.look([open, { ...GOOGLE, breaker: { ...OPEN, state: 'HALF_OPEN' } }]);
    expect(said).toHaveLength(1);
    goTo(NEWS_EVERY_MS);
    expect(said.slice(1)).toEqual(['Google is half-open: one probe is under way.']);
    goTo(NEWS_EVERY_MS + 1);
    pacer.look([closed, { ...GOOGLE, isEnabled: false }]);
    goTo(2 * NEWS_EVERY_MS);
    expect(said.slice(2)).toEqual(['OpenAI is closed and takes traffic. Google is switched off.']);
    pacer.look([open, GOOGLE]);
    expect(isWaiting()).toBe(true);
    pacer.stop();
    expect(isWaiting()).toBe(false);
  });
});

describe('charts', () => {
  test('have round values from nothing up, and times that do not touch', () => {
    expect([0, 0.3, 1, 3, 700, 0.004].map(niceStep)).toEqual([1, 0.5, 1, 5, 1_000, 0.005]);
    const scale = scaleOf([0, 300_000, 600_000], 2_100, 476);
    expect(scale.values).toEqual([0, 1_000, 2_000, 3_000]);
    expect(scale.times).toEqual([0, 300_000]);
    expect([scale.x(0), scale.x(600_000), scale.y(3_000), scale.y(0)]).toEqual([68, 468, 8, 176]);
    expect(scaleOf([], 0, 0).values).toEqual([0, 1]);
  });

  test('leave a gap where nothing is known, and show a lonely point', () => {
    expect(
      pathOf([
        [0, 1],
        [1, 2],
        [2, null],
        [3, 4],
      ]),
    ).toBe('M0.0 1.0h0L1.0 2.0M3.0 4.0h0');
  });

  test('break where nothing was measured for a while', () => {
    const at = (second: number) => ({ ...SERIES[0]!, atMs: second * 1_000, p50Ms: second });
    const line = { ...LATENCY.lines[0]!, read: ({ p50Ms }: TickPoint) => p50Ms };
    const scale = { x: (atMs: number) => atMs / 1_000, y: (value: number) => value, times: [], values: [] };
    expect(pathThrough([at(1), at(6), at(40), at(41)], line, scale)).toBe('M1.0 1.0h0L6.0 6.0M40.0 40.0h0L41.0 41.0');
  });

  test('say in words and in a table of bounded length what they show', () => {
    expect(plain(summaryOf(LATENCY, SERIES))).toMatch(/^Latency percentiles: p50 .+, p95 .+, p99 .+ now\.$/);
    expect(summaryOf(spendPlan(['openai']), [])).toBe('Spend by provider: no data yet.');
    const rows = tableRows(
      Array.from({ length: LIMITS.seriesMax }, () => SERIES)
        .flat()
        .slice(0, LIMITS.seriesMax),
    );
    expect(rows).toHaveLength(60);
    expect(tableRows(SERIES)[0]).toBe(SERIES.at(-1));
  });
});

test('a button says why it does nothing', () => {
  const gateway = GATEWAY;
  expect([simulationBar(gateway), operationBar(gateway)]).toEqual([null, null]);
  expect(simulationBar(null)).toBe('Waiting for the gateway.');
  expect(simulationBar({ ...gateway, areSimulationsEnabled: false })).toMatch('SIMULATIONS=on');
  expect(simulationBar({ ...gateway, scopes: ['chat'] })).toMatch('needs the scope simulate');
  expect(operationBar({ ...gateway, scopes: ['simulate'] })).toMatch('needs the scope providers:admin');
});

test('the why of a request has an address', () => {
  expect(requestLink('req_0199')).toBe('#request/req_0199');
  expect(linkedRequest('#request/req_0199')).toBe('req_0199');
  for (const hash of ['', '#main', '#request/', '#request/%']) expect(linkedRequest(hash)).toBeNull();
});
