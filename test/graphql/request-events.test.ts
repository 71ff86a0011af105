import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { NO_FILTER } from '../../src/core/analytics.ts';
import { presentOf, type RequestEvent } from '../../src/core/request-event.ts';
import { epochMs } from '../../src/core/time.ts';
import type { RequestNotice, RequestWatch } from '../../src/gateway/gateway.ts';
import { type Service, startService } from '../http/running-server.ts';
import { makeRecord } from '../support/request-records.ts';

const EVENTS = `subscription ($filter: RequestFilter) { requestEvents(filter: $filter) { kind occurredAt dropped
  attempt { number outcome } request { id status modelName provider { key } routing { summary } error { code } } } }`;

/** Two events: one of this replica, and the end of a request at another one, whose decision is in the log alone. */
function noticesOf({ gateway }: Service): readonly RequestNotice[] {
  const here = makeRecord(1, {});
  const error = { code: 'NO_PROVIDER_AVAILABLE', message: 'nobody', isRetryable: false, retryAfterMs: null } as const;
  const there = makeRecord(2, { status: 'refused', error: { ...error, required: null, timeoutMs: null } });
  gateway.records.push(here, there);
  const started: RequestEvent = presentOf({ ...here, status: 'running', usage: null, finishReason: null });
  const attempt = here.routing.attempts[0]!;
  return [
    { event: { ...started, kind: 'rerouted', attempt }, dropped: 0 },
    { event: { ...presentOf({ ...there, routing: null }), kind: 'refused' }, dropped: 3 },
  ];
}

async function* tell(notices: readonly RequestNotice[]): AsyncGenerator<RequestNotice> {
  yield* notices;
}

const TOLD = [
  {
    kind: 'REROUTED',
    occurredAt: '2026-01-01T00:00:00.001Z',
    dropped: 0,
    attempt: { number: 1, outcome: 'SUCCEEDED' },
    request: {
      id: 'req_01980000-0000-7000-8000-000000000001',
      status: 'RUNNING',
      modelName: 'gpt-5.1',
      provider: { key: 'openai' },
      routing: { summary: 'openai was best' },
      error: null,
    },
  },
  {
    kind: 'REFUSED',
    occurredAt: '2026-01-01T00:00:00.002Z',
    dropped: 3,
    attempt: null,
    request: {
      id: 'req_01980000-0000-7000-8000-000000000002',
      status: 'REFUSED',
      modelName: null,
      provider: null,
      routing: { summary: 'openai was best' },
      error: { code: 'NO_PROVIDER_AVAILABLE' },
    },
  },
];

const CLIENTS = [
  [
    'WebSocket',
    ({ port }: Service) =>
      createSocketClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 }),
  ],
  ['server-sent events', ({ url }: Service) => createSseClient({ url: `${url}/graphql`, retryAttempts: 0 })],
] as const;

test.each(CLIENTS)(
  'who watches over %s is told of each event, and the log fills in the rest',
  async (_name, connect) => {
    await using service = await startService();
    const notices = noticesOf(service);
    service.gateway.onWatchRequests = () => ({ kind: 'watching', notices: tell(notices) });
    const client = connect(service);
    const told: unknown[] = [];
    for await (const { data } of client.iterate({ query: EVENTS })) told.push(data?.requestEvents);
    expect(told).toEqual(TOLD);
    await client.dispose();
  },
);

/** Everything that a subscription was told, and what the gateway was asked to watch. */
async function watchOnce(service: Service, variables: Record<string, unknown>) {
  let watched: RequestWatch | null = null;
  service.gateway.onWatchRequests = (watch) => {
    watched = watch;
    return { kind: 'watching', notices: tell([]) };
  };
  const client = createSseClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const results = [];
  for await (const result of client.iterate({ query: EVENTS, variables })) results.push(result);
  client.dispose();
  return { results, filterNow: () => watched?.filter() };
}

test('a filter means the same as in the log, but a window that ends now moves along', async () => {
  await using service = await startService();
  const { clock } = service.gateway;
  const fixed = await watchOnce(service, { filter: { status: ['RUNNING'], providerId: ['prov_openai'] } });
  expect(fixed.filterNow()).toEqual({ ...NO_FILTER, status: ['running'], provider: ['openai'] });
  const moving = await watchOnce(service, { filter: { window: { last: 'PT1M' } } });
  clock.advance(5_000);
  const window = moving.filterNow()?.window;
  expect(window?.fromMs).toBe(epochMs(clock.now() - 60_000));
  expect(window?.toMs).toBeGreaterThan(clock.now() + 1_000_000_000);
});

test('a filter that is wrong, and one watcher too many, are told so', async () => {
  await using service = await startService();
  const wrong = await watchOnce(service, { filter: { metadata: 'team' } });
  expect(wrong.results).toMatchObject([{ errors: [{ extensions: { code: 'INVALID_INPUT' } }] }]);
  service.gateway.onWatchRequests = () => ({ kind: 'tooManyWatchers', message: 'too many' });
  const client = createSseClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const first = await client.iterate({ query: EVENTS }).next();
  expect(first.value).toMatchObject({ errors: [{ message: 'too many', extensions: { code: 'TOO_MANY_WATCHERS' } }] });
  client.dispose();
});
