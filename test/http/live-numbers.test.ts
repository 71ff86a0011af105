import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { makeAccount } from '../../src/core/account.ts';
import { providerKey, userAccount } from '../../src/core/ids.ts';
import { NO_METRICS } from '../../src/core/metric-set.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import type { BudgetWatch, LiveTick, TickWatch } from '../../src/gateway/gateway.ts';
import type { FakeGateway } from '../fakes/gateway.ts';
import { usd } from '../fakes/gateway-data.ts';
import { type Service, startService } from './running-server.ts';

const TICKS = `subscription Ticks($every: Duration, $window: Duration) { analyticsTicks(every: $every, window: $window) {
  at burnUsdPerHour inFlight totals { requests costUsd } providers { provider { key health } metrics { requests } } } }`;
const BUDGETS = `subscription Budgets($userId: String) { budgetEvents(userId: $userId) {
  kind occurredAt budget { id userId limitUsd spentUsd utilization status } } }`;

interface Result {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

/** All that is told over WebSocket and over server-sent events, which must be the same. */
async function subscribe({ url }: Service, query: string, variables: Record<string, unknown> = {}) {
  const at = `${url}/graphql`;
  const socket = createClient({ url: at.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
  const sse = createSseClient({ url: at, retryAttempts: 0 });
  const told = await Promise.all(
    [socket, sse].map(async (client) => {
      const results: Result[] = [];
      try {
        for await (const result of client.iterate({ query, variables })) results.push(result as Result);
      } catch (error) {
        // A WebSocket tells a refused subscription as an error of its own.
        results.push({ errors: error as NonNullable<Result['errors']> });
      }
      return results.map(({ data, errors }) => (errors === undefined ? { data } : { errors }));
    }),
  );
  await socket.dispose();
  sse.dispose();
  return told;
}

function tickAt(gateway: FakeGateway, inFlight: number): LiveTick {
  return {
    atMs: gateway.clock.now(),
    totals: { ...NO_METRICS, requests: 3, cost: usd('0.5') },
    providers: [
      { provider: providerKey('google'), metrics: { ...NO_METRICS, requests: 3 } },
      { provider: providerKey('gone'), metrics: NO_METRICS },
    ],
    burnPerHour: usd('30'),
    inFlight,
    survey: () => gateway.surveyProviders(),
  };
}

async function* list<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

test('ticks carry the numbers and how each provider stands; a second and a minute unless the caller says otherwise', async () => {
  await using service = await startService();
  const { gateway } = service;
  const watches: TickWatch['pace'][] = [];
  gateway.onTicks = ({ pace }) => {
    watches.push(pace);
    return { kind: 'watching', ticks: list(tickAt(gateway, 1), tickAt(gateway, 2)) };
  };
  gateway.setState('google', { isEnabled: false });
  for (const told of await subscribe(service, TICKS)) {
    expect(told).toMatchObject([
      {
        data: {
          analyticsTicks: {
            at: '2026-01-01T00:00:00.000Z',
            burnUsdPerHour: '30.00',
            inFlight: 1,
            totals: { requests: 3, costUsd: '0.50' },
            providers: [
              { provider: { key: 'google', health: 'DISABLED' }, metrics: { requests: 3 } },
              { provider: { key: 'gone', health: 'DISABLED' }, metrics: { requests: 0 } },
            ],
          },
        },
      },
      { data: { analyticsTicks: { inFlight: 2 } } },
    ]);
  }
  await subscribe(service, TICKS, { every: 'PT0.25S', window: '1h' });
  await subscribe(service, TICKS, { every: null, window: null });
  const usual = { everyMs: 1_000, windowMs: 60_000 };
  const quick = { everyMs: 250, windowMs: 3_600_000 };
  expect(watches).toEqual([usual, usual, quick, quick, usual, usual]);
});

test('a pace or a window that cannot be is refused with the limits', async () => {
  await using service = await startService();
  const cases = [
    [{ every: 'PT0.249S' }, '`every` must be from PT0.25S to PT1M, got PT0.249S.'],
    [{ every: '2m' }, '`every` must be from PT0.25S to PT1M, got PT2M.'],
    [{ window: 'PT0.5S' }, '`window` must be from PT1S to PT1H, got PT0.5S.'],
    [{ window: '7d' }, '`window` must be from PT1S to PT1H, got P7D.'],
  ] as const;
  for (const [variables, message] of cases) {
    for (const told of await subscribe(service, TICKS, variables)) {
      expect(told).toMatchObject([{ errors: [{ message, extensions: { code: 'INVALID_INPUT' } }] }]);
    }
  }
});

test('budgets are told as they were at each event, of one user or of all', async () => {
  await using service = await startService();
  const { gateway } = service;
  const watches: BudgetWatch['holder'][] = [];
  const account = { ...makeAccount(userAccount('ann'), gateway.clock.now()), posted: usd('0.9') };
  const budget = { account, holder: { level: 'user', id: 'ann' } as const, cap: usd('1.00') };
  gateway.onBudgets = ({ holder }) => {
    watches.push(holder);
    const kinds = ['present', 'changed', 'reset', 'reachedHalf', 'reachedFourFifths', 'exhausted', 'refused'] as const;
    return { kind: 'watching', notices: list(...kinds.map((kind) => ({ kind, budget, atMs: gateway.clock.now() }))) };
  };
  for (const told of await subscribe(service, BUDGETS, { userId: 'ann' })) {
    expect(told[0]).toEqual({
      data: {
        budgetEvents: {
          kind: 'SNAPSHOT',
          occurredAt: '2026-01-01T00:00:00.000Z',
          budget: {
            id: 'bud_ann',
            userId: 'ann',
            limitUsd: '1.00',
            spentUsd: '0.90',
            utilization: 0.9,
            status: 'WARNING',
          },
        },
      },
    });
    expect(told.map((result) => result.data?.budgetEvents)).toMatchObject([
      { kind: 'SNAPSHOT' },
      { kind: 'CHANGED' },
      { kind: 'RESET' },
      { kind: 'REACHED_50_PERCENT' },
      { kind: 'REACHED_80_PERCENT' },
      { kind: 'EXHAUSTED' },
      { kind: 'REFUSED' },
    ]);
  }
  await subscribe(service, BUDGETS);
  const ann = { level: 'user', id: 'ann' };
  expect(watches).toEqual([ann, ann, null, null]);
  for (const told of await subscribe(service, BUDGETS, { userId: '' })) {
    expect(told).toMatchObject([{ errors: [{ extensions: { code: 'INVALID_INPUT' } }] }]);
  }
});

test('whoever finds no place, or no store, is told so', async () => {
  await using service = await startService();
  for (const query of [TICKS, BUDGETS]) {
    for (const told of await subscribe(service, query)) {
      expect(told).toMatchObject([{ errors: [{ extensions: { code: 'TOO_MANY_WATCHERS' } }] }]);
    }
  }
  const away = () => {
    throw new StoreUnavailable('secret host');
  };
  service.gateway.onTicks = away;
  service.gateway.onBudgets = away;
  for (const query of [TICKS, BUDGETS]) {
    const [bySocket, bySse] = await subscribe(service, query);
    expect(bySocket).toMatchObject([{ errors: [{ extensions: { code: 'STORE_UNAVAILABLE', retryable: true } }] }]);
    // Nothing has begun yet, so it has a status of its own, at which clients try again.
    expect(bySse).toMatchObject([{ errors: { message: expect.stringContaining('503') } }]);
    expect(JSON.stringify(bySocket)).not.toContain('secret');
  }
});
