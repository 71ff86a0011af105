import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../dashboard/model/room-state.ts';
import { BEGINNING, next, type RoomEvent, type Story, seen } from '../../dashboard/model/story.ts';
import { allProviders, at, attempt, budget, facts, opened, providerNow, row, START_MS, tick } from './wire.ts';

const storyOf = (events: readonly RoomEvent[], from: Story = BEGINNING) => events.reduce(next, from);
const providers: RoomEvent = { kind: 'providers', told: allProviders('openai', 'google') };
const request = (id: string, seconds: number, over: object = {}): RoomEvent => ({
  kind: 'request',
  row: row(id, seconds, over),
  dropped: 0,
});

describe('a provider', () => {
  test('shows its breaker as soon as it changes, and why', () => {
    const [card, other] = seen(storyOf([providers, { kind: 'breaker', event: opened('openai', 1) }])).providers;
    expect(card?.breaker).toMatchObject({
      state: 'OPEN',
      nextProbeAtMs: START_MS + 60_000,
      lastChange: { cause: 'FAILURE_THRESHOLD', message: 'opened after 3 failures in a row', atMs: START_MS + 1_000 },
    });
    expect(other?.breaker.state).toBe('CLOSED');
  });

  test('is not taken back by an older reading that comes later by another way', () => {
    const story = storyOf([providers, { kind: 'breaker', event: opened('openai', 2) }]);
    const late: readonly RoomEvent[] = [
      { kind: 'tick', tick: tick(3, { openai: {}, google: {} }) },
      { kind: 'provider', now: providerNow('openai', { epoch: 1 }) },
      providers,
    ];
    for (const event of late) expect(seen(next(story, event)).providers[0]?.breaker.state).toBe('OPEN');
    const healed: RoomEvent = { kind: 'provider', now: providerNow('openai', { epoch: 3 }) };
    expect(seen(next(story, healed)).providers[0]?.breaker.state).toBe('CLOSED');
  });

  test('keeps a bounded history, newest first, in which a snapshot has no place and nothing stands twice', () => {
    const many = Array.from({ length: LIMITS.breakerHistoryMax + 5 }, (_, index): RoomEvent => {
      return { kind: 'breaker', event: opened('openai', index + 1) };
    });
    const snapshot: RoomEvent = { kind: 'breaker', event: opened('openai', 99, { snapshot: true, cause: 'SNAPSHOT' }) };
    const history =
      seen(storyOf([providers, ...many, ...many.slice(-3), snapshot])).providers[0]?.breaker.history ?? [];
    expect(history).toHaveLength(LIMITS.breakerHistoryMax);
    expect(history.slice(0, 2).map(({ epoch }) => epoch)).toEqual([25, 24]);
  });

  test('shows its share of the calls and of failures, and none where nothing was called', () => {
    const busy = tick(1, { openai: { attempts: 30, attemptsFailed: 3 }, google: { attempts: 10 } });
    const told = seen(storyOf([providers, { kind: 'tick', tick: busy }])).providers;
    expect(told.map(({ trafficShare, errorShare }) => [trafficShare, errorShare])).toEqual([
      [0.75, 0.1],
      [0.25, 0],
    ]);
    const idle = seen(storyOf([providers, { kind: 'tick', tick: tick(1, { openai: {}, google: {} }) }])).providers;
    expect(idle.map(({ trafficShare, errorShare }) => [trafficShare, errorShare])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test('names what failed last, by the decisions that are told', () => {
    const attempts = [attempt('openai', 'TIMED_OUT', 'no answer after 2 s'), attempt('google', 'SUCCEEDED')];
    const routing = { summary: 's', classification: { category: 'CODE' }, attempts };
    const told = seen(storyOf([providers, request('req_1', 5, { routing }), request('req_0', 1)])).providers;
    expect(told.map(({ lastFailure }) => lastFailure)).toEqual([
      { atMs: START_MS + 5_000, outcome: 'TIMED_OUT', durationMs: 40, message: 'no answer after 2 s' },
      null,
    ]);
  });

  test('stays the same object when nothing of it changed, so that it is not drawn again', () => {
    const before = storyOf([providers, { kind: 'tick', tick: tick(1, { openai: {}, google: { attempts: 1 } }) }]);
    const same = next(before, { kind: 'tick', tick: tick(2, { openai: {}, google: { attempts: 2 } }) });
    expect(seen(same).providers[0]).toBe(seen(before).providers[0]);
    expect(seen(same).providers[1]).not.toBe(seen(before).providers[1]);
    const still = next(before, { kind: 'tick', tick: tick(2, { openai: {}, google: { attempts: 1 } }) });
    expect(seen(still).providers).toBe(seen(before).providers);
  });
});

describe('decisions', () => {
  test('stand newest first, each once, as they are now, at most as many as can be read', () => {
    const many = Array.from({ length: LIMITS.decisionsMax + 50 }, (_, index) => request(`req_${index}`, index));
    const { decisions } = seen(storyOf([...many, request('req_249', 249, { status: 'FAILED' })]));
    expect(decisions).toHaveLength(LIMITS.decisionsMax);
    expect(decisions[0]).toMatchObject({ id: 'req_249', status: 'FAILED' });
    expect(decisions.at(-1)?.id).toBe('req_50');
  });

  test('that are over do not run again, and a page read late does not undo what was told', () => {
    const story = storyOf([request('req_1', 1), request('req_1', 1, { status: 'RUNNING', cost: null })]);
    expect(seen(story).decisions).toMatchObject([{ status: 'SUCCEEDED', costUsd: '0.0021' }]);
    const read: RoomEvent = { kind: 'requests', rows: [row('req_2', 2), row('req_1', 1, { status: 'RUNNING' })] };
    expect(seen(next(story, read)).decisions.map(({ id, status }) => [id, status])).toEqual([
      ['req_2', 'SUCCEEDED'],
      ['req_1', 'SUCCEEDED'],
    ]);
  });

  test('that run have no cost and no end yet', () => {
    const { decisions } = seen(storyOf([request('req_1', 1, { status: 'RUNNING' })]));
    expect(decisions).toMatchObject([{ costUsd: null, totalMs: null }]);
  });

  test('count what the page was too slow for', () => {
    const story = storyOf([{ kind: 'request', row: row('req_1', 1), dropped: 7 }, request('req_2', 2)]);
    expect(seen(story).missedDecisions).toBe(7);
  });
});

describe('a pause', () => {
  test('holds the picture, counts what is new, loses nothing, and lets acts be told', () => {
    const before = storyOf([providers, request('req_1', 1), { kind: 'pause', atMs: 5 }]);
    const during = storyOf(
      [
        request('req_2', 2),
        { kind: 'breaker', event: opened('openai', 1) },
        { kind: 'tick', tick: tick(3, { openai: {}, google: {} }) },
        { kind: 'notice', notice: { id: 1, tone: 'done', text: 'done', code: null } },
      ],
      before,
    );
    const picture = seen(during);
    expect(picture.paused).toEqual({ sinceMs: 5, newEvents: 2 });
    expect(picture.decisions.map(({ id }) => id)).toEqual(['req_1']);
    expect(picture.providers[0]?.breaker.state).toBe('CLOSED');
    expect([picture.totals, picture.series, picture.notices.length]).toEqual([null, [], 1]);
    expect(next(during, { kind: 'pause', atMs: 9 })).toEqual(during);

    const resumed = seen(next(during, { kind: 'resume' }));
    expect(resumed.paused).toBeNull();
    expect(resumed.decisions.map(({ id }) => id)).toEqual(['req_2', 'req_1']);
    expect(resumed.providers[0]?.breaker.state).toBe('OPEN');
    expect(resumed.series).toHaveLength(1);
  });
});

test('another window ends the pause: what stands there is of the old one', () => {
  const paused = storyOf([
    { kind: 'tick', tick: tick(1, { openai: {} }) },
    { kind: 'pause', atMs: 5 },
  ]);
  expect(next(paused, { kind: 'window', window: '1m' })).toEqual(paused);
  const picture = seen(next(paused, { kind: 'window', window: '15m' }));
  expect([picture.window, picture.totals, picture.paused]).toEqual(['15m', null, null]);
});

describe('numbers', () => {
  test('are kept as a bounded series, and begin anew with another window', () => {
    const ticks = Array.from({ length: LIMITS.seriesMax + 3 }, (_, index): RoomEvent => {
      return { kind: 'tick', tick: tick(index, { openai: { attempts: 1 }, google: {} }) };
    });
    const story = storyOf([providers, ...ticks]);
    expect(seen(story).series).toHaveLength(LIMITS.seriesMax);
    expect(seen(story).totals).toMatchObject({ requestsPerSecond: 2, burnUsdPerHour: '4.10', inFlight: 2 });
    const other = seen(next(story, { kind: 'window', window: '5m' }));
    expect([other.series, other.totals, other.providers[0]?.numbers]).toEqual([[], null, null]);
    expect(next(story, { kind: 'window', window: '1m' })).toEqual(story);
  });
});

test('requests a second are of the time that is known: memory knows nothing from before its start', () => {
  const { gateway, viewer } = facts('a', '1');
  const rate = (store: 'MEMORY' | 'POSTGRES', seconds: number) => {
    const told: RoomEvent = { kind: 'gateway', facts: { gateway: { ...gateway, store }, viewer }, atMs: START_MS };
    return seen(storyOf([told, { kind: 'tick', tick: tick(seconds, {}) }])).totals?.requestsPerSecond;
  };
  expect([rate('POSTGRES', 10), rate('MEMORY', 10), rate('MEMORY', 600)]).toEqual([2, 12, 2]);
});

test('budgets stand fullest first, at most as many as are shown, each as it was told last', () => {
  const many = Array.from({ length: LIMITS.budgetsMax + 20 }, (_, index) => budget(`user-${index}`, index / 1_000));
  const story = storyOf([
    { kind: 'budgets', budgets: many },
    { kind: 'budget', budget: budget('user-30', 1) },
  ]);
  const { budgets } = seen(story);
  expect(budgets).toHaveLength(LIMITS.budgetsMax);
  expect(budgets.slice(0, 2).map(({ owner }) => owner)).toEqual(['user-30', 'user-44']);
  expect(budgets[0]?.resetsAtMs).toBe(Date.parse(at(3_600)));
});

test('another replica with another configuration is told for as long as it can be known, and so is one that is stale', () => {
  const told = (replica: string, hash: string, atMs: number): RoomEvent => {
    return { kind: 'gateway', facts: facts(replica, hash), atMs };
  };
  const differ = (...events: readonly RoomEvent[]) => seen(storyOf(events)).gateway?.configsDifferUntilMs !== null;
  expect(differ(told('a', '1', 0), told('b', '1', 1))).toBe(false);
  expect(differ(told('a', '1', 0), told('b', '2', 1))).toBe(true);
  // It is read every few seconds, from the replica that is there now.
  const met = [told('a', '1', 0), told('b', '2', 1), told('b', '2', 10_000)];
  expect(differ(...met, told('b', '2', 50_000))).toBe(true);
  expect(differ(...met, told('b', '2', 60_001))).toBe(false);
  expect(differ(...met, told('b', '1', 20_000))).toBe(false);
  expect(differ(...met, told('a', '2', 20_000))).toBe(false);
  expect(differ(told('a', '1', 0), told('a', '2', 1))).toBe(false);

  const { gateway, viewer } = facts('a', '1');
  const stale: RoomEvent = { kind: 'gateway', facts: { gateway: { ...gateway, configStale: true }, viewer }, atMs: 0 };
  expect(seen(storyOf([stale])).gateway?.isConfigStale).toBe(true);
});

describe('the box to try a prompt', () => {
  const prompt = (text: string): RoomEvent => ({ kind: 'prompt', text });
  const refused = (of: string): RoomEvent => ({ kind: 'preview', prompt: of, preview: { kind: 'refused', why: 'no' } });

  test('shows a preview of what stands there, and of nothing older as if it were', () => {
    const typed = storyOf([prompt('Hi'), refused('Hi'), prompt('Hi there')]);
    expect(seen(typed).tryIt).toMatchObject({ preview: { kind: 'refused' }, isPreviewStale: true });
    expect(next(typed, refused('Hi'))).toEqual(typed);
    expect(seen(next(typed, refused('Hi there'))).tryIt.isPreviewStale).toBe(false);
    expect(seen(next(typed, prompt('  '))).tryIt).toMatchObject({ preview: null, isPreviewStale: false });
  });

  test('puts an answer together from its pieces, and keeps what came when it breaks off', () => {
    const started: RoomEvent = {
      kind: 'piece',
      piece: {
        __typename: 'ChatStarted',
        sequence: 0,
        requestId: 'req_1',
        routing: { candidates: [{ rank: 1, provider: { key: 'openai' } }] },
      },
    };
    const rerouted: RoomEvent = {
      kind: 'piece',
      piece: {
        __typename: 'ChatRerouted',
        sequence: 1,
        failed: attempt('openai', 'TIMED_OUT'),
        provider: { key: 'google' },
      },
    };
    const delta = (content: string): RoomEvent => ({
      kind: 'piece',
      piece: { __typename: 'ChatDelta', sequence: 2, content },
    });
    const story = storyOf([prompt('Hi'), { kind: 'send' }, started, rerouted, delta('Hel'), delta('lo')]);
    expect(seen(story).tryIt.answer).toMatchObject({
      kind: 'streaming',
      requestId: 'req_1',
      text: 'Hello',
      provider: 'google',
      path: [{ provider: 'openai', outcome: 'TIMED_OUT' }],
    });
    const broken = next(story, { kind: 'brokenOff', error: { code: 'CANCELLED', message: 'stopped' } });
    expect(seen(broken).tryIt.answer).toMatchObject({ kind: 'failed', text: 'Hello', costUsd: null });
    // What comes after the end changes nothing.
    expect(seen(next(broken, delta('!'))).tryIt.answer).toEqual(seen(broken).tryIt.answer);
  });
});

test('when a key is forgotten nothing of what it showed stays, but for what the user typed', () => {
  const story = storyOf([
    providers,
    request('req_1', 1),
    { kind: 'prompt', text: 'mine' },
    { kind: 'pause', atMs: 1 },
    { kind: 'forget' },
  ]);
  expect(seen(story)).toMatchObject({
    providers: [],
    decisions: [],
    paused: null,
    gateway: null,
    tryIt: { prompt: 'mine' },
  });
});
