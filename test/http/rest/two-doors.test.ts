import { expect, test } from 'vitest';
import { NO_FILTER } from '../../../src/core/analytics.ts';
import { userAccount } from '../../../src/core/ids.ts';
import type { PicoUsd } from '../../../src/core/money.ts';
import type { Registry } from '../../../src/core/registry.ts';
import { OPEN_CALLER } from '../../../src/gateway/caller.ts';
import { PRICED } from '../../gateway/priced-registry.ts';
import { quiet, usd } from '../../support/gateway-kit.ts';
import { overGraphql, overRest, type Send, type Told } from './both-doors.ts';
import { type OpenService, openService } from './rest-kit.ts';

// The same chat through both doors, each on a service of its own: what comes of it, what it costs and what is kept must be equal.

interface Scenario {
  readonly registry?: Registry;
  readonly budget?: PicoUsd;
  /** Sends whatever the scenario sends, and answers what the last caller was told. Null: nobody was left to be told. */
  readonly play: (service: OpenService, send: Send) => Promise<Told | null>;
}

const LIMITED: Registry = {
  ...PRICED,
  providers: PRICED.providers.slice(0, 1).map((provider) => ({ ...provider, requestsPerMinute: 1 })),
};

const fail = { kind: 'fail', failure: { kind: 'providerError', httpStatus: 500 } } as const;
const PIECES = { kind: 'stream', pieces: ['Hel', 'lo'] } as const;

/** Everybody fails. */
function failAll({ kit }: OpenService) {
  for (const { key } of PRICED.providers) kit.provider(key).script(fail);
}

async function untilCalled({ kit }: OpenService, key: string): Promise<void> {
  while (kit.provider(key).calls.length === 0) await quiet();
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  answered: { play: (service, send) => send(service, {}) },
  rerouted: {
    play: async (service, send) => {
      service.kit.provider('a').script(fail);
      return send(service, {});
    },
  },
  'budget exceeded': { budget: usd('0.000001'), play: (service, send) => send(service, {}) },
  'budget only held': {
    budget: usd('0.0101'),
    play: async (service, send) => {
      service.kit.provider('a').script({ kind: 'hang' });
      const running = send(service, { only: ['a'], timeoutMs: 1_000 });
      await untilCalled(service, 'a');
      const told = await send(service, { only: ['a'] });
      service.kit.clock.advance(1_000);
      await running;
      return told;
    },
  },
  'cost limit too low': { play: (service, send) => send(service, { maxCostUsd: '0.000000001' }) },
  'rate limited': {
    registry: LIMITED,
    play: async (service, send) => {
      await send(service, {});
      return send(service, {});
    },
  },
  'nobody available': {
    play: async (service, send) => {
      for (const { key } of PRICED.providers)
        await service.kit.store.setEnabled(key, false, { name: 'test', reason: null });
      return send(service, {});
    },
  },
  'all failed': {
    play: async (service, send) => {
      failAll(service);
      return send(service, {});
    },
  },
  rejected: {
    play: async (service, send) => {
      service.kit.provider('a').script({ kind: 'fail', failure: { kind: 'rejected', httpStatus: 400 } });
      return send(service, {});
    },
  },
  'timed out': {
    play: async (service, send) => {
      service.kit.provider('a').script({ kind: 'hang' });
      const sending = send(service, { timeoutMs: 1_000, only: ['a'] });
      await untilCalled(service, 'a');
      service.kit.clock.advance(1_000);
      return sending;
    },
  },
  'invalid input': { play: (service, send) => send(service, { temperature: 9 }) },
  'told again': {
    play: async (service, send) => {
      await send(service, { key: 'k' });
      return send(service, { key: 'k' });
    },
  },
  conflict: {
    play: async (service, send) => {
      await send(service, { key: 'k' });
      return send(service, { key: 'k', text: 'something else' });
    },
  },
  cancelled: {
    play: async (service, send) => {
      service.kit.provider('a').script({ kind: 'hang' });
      const leave = new AbortController();
      const sending = send(service, {}, leave.signal).catch(() => null);
      await untilCalled(service, 'a');
      leave.abort();
      return sending;
    },
  },
  streamed: {
    play: async (service, send) => {
      service.kit.provider('a').script({ ...PIECES, after: { kind: 'answer' } });
      return send(service, { isStreamed: true });
    },
  },
  'streamed, and told again': {
    play: async (service, send) => {
      service.kit.provider('a').script({ ...PIECES, after: { kind: 'answer' } });
      await send(service, { isStreamed: true, key: 'k' });
      return send(service, { isStreamed: true, key: 'k' });
    },
  },
  'streamed by the second one asked': {
    play: async (service, send) => {
      service.kit.provider('a').script(fail);
      service.kit.provider('b').script({ ...PIECES, after: { kind: 'answer' } });
      return send(service, { isStreamed: true });
    },
  },
  'a stream that nobody begins': {
    play: async (service, send) => {
      failAll(service);
      return send(service, { isStreamed: true });
    },
  },
  'a stream that is cut': {
    play: async (service, send) => {
      service.kit.provider('a').script({ ...PIECES, after: { kind: 'cut', outputTokens: 2 } });
      const { text, code } = await send(service, { isStreamed: true });
      // Once its headers are out, a stream over REST cannot say when to try again.
      return { text, code, isRetryable: null, retryAfterMs: null };
    },
  },
  'a stream that its reader leaves': {
    play: async (service, send) => {
      service.kit.provider('a').script({ ...PIECES, after: { kind: 'hang' } });
      const leave = new AbortController();
      const sending = send(service, { isStreamed: true }, leave.signal).catch(() => null);
      await untilCalled(service, 'a');
      await quiet();
      leave.abort();
      return sending;
    },
  },
};

/** What is on the books, and in the log but for ids and the door. */
async function keptOf({ kit }: OpenService) {
  const { posted, held } = await kit.store.account(userAccount('ann'));
  const answer = await kit.gateway.pageRequests({
    page: { cursor: null, size: 10, direction: 'forward' },
    filter: NO_FILTER,
    order: { field: 'createdAt', direction: 'ascending' },
    caller: OPEN_CALLER,
  });
  if (answer.kind !== 'page') throw new Error('no page');
  const records = answer.page.items.map(({ item: { id: _id, door, ...record } }) => ({ door, record }));
  return {
    posted,
    held,
    records: records.map(({ record }) => record),
    doors: new Set(records.map(({ door }) => door)),
  };
}

async function playedAt({ registry = PRICED, budget, play }: Scenario, send: Send) {
  await using service = await openService({ registry, ...(budget === undefined ? {} : { budgetDefault: budget }) });
  const told = await play(service, send);
  // Whoever hangs up does not wait for the end of what was begun.
  while ((await keptOf(service)).held > 0n) await quiet();
  await quiet();
  return { told, ...(await keptOf(service)) };
}

test.each(Object.entries(SCENARIOS))(
  '%s: equal at both doors, on the books and in the log',
  async (_name, scenario) => {
    const graphql = await playedAt(scenario, overGraphql);
    const rest = await playedAt(scenario, overRest);
    expect(rest.told).toEqual(graphql.told);
    expect({ ...rest, doors: null }).toEqual({ ...graphql, doors: null });
    for (const door of rest.doors) expect(door).toBe('rest');
    for (const door of graphql.doors) expect(door).toBe('graphql');
  },
);

test('each scenario is what it is called', async () => {
  const codes = new Map<string, string | null | undefined>();
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const { told } = await playedAt(scenario, overRest);
    codes.set(name, told === null ? undefined : told.code);
  }
  expect(Object.fromEntries(codes)).toEqual({
    answered: null,
    rerouted: null,
    'budget exceeded': 'BUDGET_EXCEEDED',
    'budget only held': 'BUDGET_EXCEEDED',
    'cost limit too low': 'COST_LIMIT_TOO_LOW',
    'rate limited': 'RATE_LIMITED',
    'nobody available': 'NO_PROVIDER_AVAILABLE',
    'all failed': 'ALL_PROVIDERS_FAILED',
    rejected: 'ALL_PROVIDERS_FAILED',
    'timed out': 'TIMED_OUT',
    'invalid input': 'INVALID_INPUT',
    'told again': null,
    conflict: 'IDEMPOTENCY_CONFLICT',
    cancelled: undefined,
    streamed: null,
    'streamed, and told again': null,
    'streamed by the second one asked': null,
    'a stream that nobody begins': 'ALL_PROVIDERS_FAILED',
    'a stream that is cut': 'ALL_PROVIDERS_FAILED',
    'a stream that its reader leaves': undefined,
  });
});
