import { describe, expect, test } from 'vitest';
import { makeLiveRoom } from '../../dashboard/live/live-room.ts';
import { LIMITS } from '../../dashboard/model/room-state.ts';
import { connected, greet, names } from './connected.ts';
import { makeFakeWorld } from './fake-world.ts';
import { budget, metrics, opened, row, START_MS, tick } from './wire.ts';

const FORBIDDEN = { code: 'FORBIDDEN', message: '`analyticsTicks` needs the scope requests:read' };

describe('the line', () => {
  test('feeds the whole picture over one connection, each stream once, and providers before what happens to them', () => {
    const { world, link } = connected();
    expect(world.links).toHaveLength(1);
    expect(names(link())).toEqual([
      'GatewayFacts',
      'AllProviders',
      'Ticks',
      'BreakerEvents',
      'RequestEvents',
      'LatestRequests',
      'BudgetEvents',
      'FullestBudgets',
    ]);
    expect(link().run('Ticks').variables).toEqual({ window: 'PT1M' });
  });

  test('tells honestly how it is: connecting, live with its round trip, lost since when, and when it is tried again', () => {
    const world = makeFakeWorld();
    const { see } = makeLiveRoom(world);
    const shown = () => {
      world.draw();
      return see.connection.value;
    };
    expect(shown()).toEqual({ kind: 'connecting' });
    world.links[0]?.events.opened();
    expect(shown()).toEqual({ kind: 'live', roundTripMs: null });
    world.links[0]?.events.answered(12.4);
    expect(shown()).toEqual({ kind: 'live', roundTripMs: 12 });
    world.pass(1_000);
    world.links[0]?.events.closed(1006);
    const sinceMs = START_MS + 1_000;
    expect(shown()).toEqual({ kind: 'lost', sinceMs, retryAtMs: sinceMs + 375 });
    world.pass(375);
    expect(shown()).toEqual({ kind: 'lost', sinceMs, retryAtMs: null });
    world.links[1]?.events.closed(1006);
    expect(shown()).toEqual({ kind: 'lost', sinceMs, retryAtMs: sinceMs + 375 + 750 });
    // What an older connection still says does not count.
    world.links[0]?.events.answered(1);
    expect(shown()).toMatchObject({ kind: 'lost' });
  });

  test('is tried for ever, never more often than every few seconds, and at once as often again when it held', () => {
    const world = makeFakeWorld();
    const { see } = makeLiveRoom(world);
    for (let count = 0; count < 40; count += 1) {
      world.links.at(-1)?.events.closed(1006);
      world.pass(11_250);
    }
    expect(world.links).toHaveLength(41);
    world.links.at(-1)?.events.opened();
    world.links.at(-1)?.events.closed(1006);
    world.draw();
    expect(see.connection.value).toMatchObject({ retryAtMs: world.now() + 375 });
  });

  test('that was lost is read anew, and goes on with breakers where it ended', () => {
    const { world, room, link } = connected();
    link()
      .run('BreakerEvents')
      .data({ breakerEvents: opened('openai', 4) });
    link().events.closed(1006);
    const first = link();
    world.pass(1_000);
    greet(link());
    expect(link()).not.toBe(first);
    expect(names(link())).toEqual(names(first));
    expect(link().run('BreakerEvents').variables).toEqual({ after: 'bev_4' });
    // The gateway no longer has what came after: the stream begins anew, with how each breaker stands.
    link().run('BreakerEvents').failed({ code: 'INVALID_INPUT', message: 'no event has that id' });
    link().run('BreakerEvents').ended();
    world.pass(3_000);
    expect(link().run('BreakerEvents').variables).toEqual({ after: null });
    world.draw();
    expect(room.see.connection.value.kind).toBe('live');
  });
});

test('requests that seemed to run when the line was lost are read again: their ends were missed', () => {
  const { world, room, link } = connected();
  for (const [second, id] of ['req_ended', 'req_gone'].entries()) {
    link()
      .run('RequestEvents')
      .data({ requestEvents: { request: row(id, second, { status: 'RUNNING' }), dropped: 0 } });
  }
  link().events.closed(1006);
  world.pass(1_000);
  greet(link());
  link()
    .run('LatestRequests')
    .data({ requests: { nodes: [row('req_new', 5)] } });
  for (const { variables, data } of link().runs.filter(({ name }) => name === 'OneRequest')) {
    data({ request: variables.id === 'req_gone' ? null : { ...row('req_ended', 0), usage: null } });
  }
  world.draw();
  expect(room.see.decisions.value.map(({ id, status }) => [id, status])).toEqual([
    ['req_new', 'SUCCEEDED'],
    ['req_ended', 'SUCCEEDED'],
  ]);
});

describe('a part', () => {
  test('that the key may not see is told with what is missing, and the others live on', () => {
    const { world, room, link } = connected();
    link().run('Ticks').failed(FORBIDDEN);
    link().run('Ticks').ended();
    link()
      .run('BreakerEvents')
      .data({ breakerEvents: opened('openai', 1) });
    world.draw();
    expect(room.see.parts.value).toMatchObject({
      ticks: { kind: 'refused', code: 'FORBIDDEN', why: FORBIDDEN.message },
      breakers: { kind: 'ok' },
      providers: { kind: 'ok' },
    });
    expect(room.see.providers.value[0]?.breaker.state).toBe('OPEN');
    // It is not asked for again, and what ticks would have brought is read instead.
    const count = names(link()).filter((name) => name === 'AllProviders').length;
    world.pass(5_000);
    expect(names(link()).filter((name) => name === 'Ticks')).toHaveLength(1);
    expect(names(link()).filter((name) => name === 'AllProviders')).toHaveLength(count + 1);
  });

  test('whose stream ended is followed again after a while', () => {
    const { world, link } = connected();
    link().run('RequestEvents').failed({ code: 'TOO_MANY_WATCHERS', message: 'later' });
    link().run('RequestEvents').ended();
    world.pass(2_999);
    expect(names(link()).filter((name) => name === 'RequestEvents')).toHaveLength(1);
    world.pass(1);
    expect(names(link()).filter((name) => name === 'RequestEvents')).toHaveLength(2);
  });

  test('that nobody tells of itself is read now and then, never twice at once, while the page can be seen', () => {
    const { world, room, link } = connected();
    const count = () => names(link()).filter((name) => name === 'FullestBudgets').length;
    const part = () => {
      world.draw();
      return room.see.parts.value.budgets;
    };
    const end = () => link().run('FullestBudgets').ended();
    expect(link().run('FullestBudgets').variables).toEqual({ first: LIMITS.budgetsMax });
    // The first one takes long.
    world.pass(30_000);
    expect(count()).toBe(1);
    link()
      .run('FullestBudgets')
      .data({ budgets: { nodes: [] } });
    end();
    expect(part()).toEqual({ kind: 'ok' });
    world.pass(12_000);
    expect(count()).toBe(2);
    link().run('FullestBudgets').failed({ code: 'STORE_UNAVAILABLE', message: 'out of reach' });
    end();
    expect(part()).toEqual({ kind: 'refused', code: 'STORE_UNAVAILABLE', why: 'out of reach' });
    world.isSeen = false;
    world.pass(24_000);
    expect(count()).toBe(2);
    world.isSeen = true;
    world.pass(12_000);
    expect(count()).toBe(3);
    link()
      .run('FullestBudgets')
      .failed({ ...FORBIDDEN });
    end();
    // Then what is told must do.
    world.pass(60_000);
    expect(count()).toBe(3);
  });

  test('that events tell of in part is read once after many of them', () => {
    const { world, link } = connected();
    const count = () => names(link()).filter((name) => name === 'FullestBudgets').length;
    link().run('FullestBudgets').ended();
    for (let told = 0; told < 50; told += 1) {
      link()
        .run('BudgetEvents')
        .data({ budgetEvents: { budget: budget('ann', told / 100) } });
      world.pass(10);
    }
    expect(count()).toBe(1);
    world.pass(1_000);
    expect(count()).toBe(2);
  });

  test('of another window begins anew, and the old stream is left', () => {
    const { world, room, link } = connected();
    const old = link().run('Ticks');
    old.data({ analyticsTicks: tick(1, { openai: {}, google: {} }) });
    room.acts.setWindow('15m');
    world.draw();
    expect([old.isStopped(), room.see.totals.value]).toEqual([true, null]);
    expect(link().run('Ticks').variables).toEqual({ window: 'PT15M' });
  });

  test('is read again when the registry has other providers, or when events were left out', () => {
    const { link } = connected();
    const count = () => names(link()).filter((name) => name === 'AllProviders').length;
    link()
      .run('Ticks')
      .data({ analyticsTicks: tick(1, { openai: {}, google: {} }) });
    expect(count()).toBe(1);
    link()
      .run('Ticks')
      .data({ analyticsTicks: tick(2, { openai: {}, groq: {} }) });
    expect(count()).toBe(2);
    link()
      .run('BreakerEvents')
      .data({ breakerEvents: opened('openai', 9, { dropped: 3 }) });
    expect(count()).toBe(3);
  });
});

describe('what is shown', () => {
  test('changes once a frame, however much happens, and only where something changed', () => {
    const { world, room, link } = connected();
    let drawn = 0;
    let other = 0;
    room.see.decisions.subscribe(() => {
      drawn += 1;
    });
    room.see.budgets.subscribe(() => {
      other += 1;
    });
    for (let count = 0; count < 1_000; count += 1) {
      link()
        .run('RequestEvents')
        .data({ requestEvents: { request: row(`req_${count}`, count), dropped: 0 } });
    }
    expect([drawn, other]).toEqual([1, 1]);
    expect(world.draw()).toBe(1);
    expect([drawn, other, room.see.decisions.value[0]?.id]).toEqual([2, 1, 'req_999']);
  });

  test('counts down by the gateway’s clock, not by the browser’s', () => {
    const { world, room, link } = connected();
    // The gateway is an hour ahead.
    link()
      .run('Ticks')
      .data({ analyticsTicks: tick(3_600, { openai: {}, google: {} }) });
    world.pass(1_000);
    expect(room.now.value).toBe(START_MS + 3_601_000);
  });
});

test('numbers of a tick are those that are shown', () => {
  const { world, room, link } = connected();
  const told = tick(1, { openai: { attempts: 4, attemptsFailed: 1 }, google: {} });
  link()
    .run('Ticks')
    .data({ analyticsTicks: { ...told, totals: metrics({ requests: 60, successRate: 0.5 }) } });
  world.draw();
  expect(room.see.totals.value).toMatchObject({ requestsPerSecond: 1, successShare: 0.5 });
  expect(room.see.series.value).toMatchObject([{ atMs: START_MS + 1_000, requests: 60 }]);
});
