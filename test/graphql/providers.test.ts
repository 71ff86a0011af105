import { expect, test } from 'vitest';
import { makeBreaker } from '../../src/core/breaker.ts';
import { later } from '../../src/core/time.ts';
import { ask, type Service, startService } from '../http/running-server.ts';

/** Opens the breaker of openai for 90 s. */
function openBreaker({ gateway }: Service): void {
  const nowMs = gateway.now();
  gateway.setState('openai', {
    breaker: {
      ...makeBreaker(nowMs),
      epoch: 4,
      openedAtMs: nowMs,
      circuit: { kind: 'open', fails: 3, reopensAtMs: later(nowMs, 90_000) },
    },
  });
}

test('a provider shows its state, its limit and what is simulated', async () => {
  await using service = await startService();
  openBreaker(service);
  const { gateway } = service;
  gateway.setState('google', {
    slotFreeAtMs: later(gateway.now(), 1_500),
    simulation: {
      mode: 'rateLimit',
      rate: 0.5,
      endsAtMs: later(gateway.now(), 5_000),
      failuresMax: null,
      latencyMs: null,
      failuresInjected: 2,
    },
  });
  const { data } = await ask(
    service,
    `{ providers { id kind enabled health specialties
         breaker { state epoch consecutiveFailures failureThreshold cooldownMs openedAt nextProbeAt }
         rateLimit { limit used remaining windowMs nextAvailableAt }
         simulation { mode rate endsAt failuresInjected } models { id name aliases inputUsdPerMillion contextWindow capabilities provider { key } } } }`,
  );
  expect(data.providers).toMatchObject([
    {
      id: 'prov_openai',
      kind: 'MOCK',
      enabled: true,
      health: 'DOWN',
      specialties: ['CODE', 'WRITING'],
      breaker: {
        state: 'OPEN',
        epoch: 4,
        consecutiveFailures: 3,
        failureThreshold: 3,
        cooldownMs: 90_000,
        openedAt: '2026-01-01T00:00:00.000Z',
        nextProbeAt: '2026-01-01T00:01:30.000Z',
      },
      rateLimit: { limit: 100, used: 7, remaining: 93, windowMs: 60_000, nextAvailableAt: null },
      simulation: null,
      models: [
        {
          id: 'model_openai/gpt-5.1',
          aliases: ['smart'],
          inputUsdPerMillion: '20.00',
          capabilities: ['STREAMING'],
          provider: { key: 'openai' },
        },
      ],
    },
    {
      health: 'DEGRADED',
      breaker: { state: 'CLOSED', cooldownMs: 60_000, openedAt: null, nextProbeAt: null },
      rateLimit: { nextAvailableAt: '2026-01-01T00:00:01.500Z' },
      simulation: { mode: 'RATE_LIMIT', rate: 0.5, endsAt: '2026-01-01T00:00:05.000Z', failuresInjected: 2 },
    },
  ]);
});

test('providers are found by health, kind, switch, id and key', async () => {
  await using service = await startService();
  openBreaker(service);
  const query = `{
    down: providers(filter: { health: [DOWN, DISABLED] }) { key }
    mocks: providers(filter: { kind: [MOCK], enabled: true }) { key }
    off: providers(filter: { enabled: false }) { key }
    byId: provider(id: "prov_google") { key }
    byKey: provider(id: "google") { key }
    nobody: provider(id: "nobody") { key }
    models(filter: { providerId: ["prov_google"], capabilities: [STREAMING] }) { id }
    none: models(filter: { capabilities: [VISION] }) { id }
  }`;
  const { data } = await ask(service, query);
  expect(data).toEqual({
    down: [{ key: 'openai' }],
    mocks: [{ key: 'openai' }, { key: 'google' }],
    off: [],
    byId: { key: 'google' },
    byKey: { key: 'google' },
    nobody: null,
    models: [{ id: 'model_google/gemini-pro' }],
    none: [],
  });
});

test('operators act by id or key, and see the state their act left behind', async () => {
  await using service = await startService();
  openBreaker(service);
  const query = `mutation {
    reset: resetBreaker(input: { providerId: "prov_openai", reason: "drill is over" }) {
      ... on ResetBreakerSuccess { provider { health breaker { state epoch } } event { id cause message from to snapshot replicaId } } }
    again: resetBreaker(input: { providerId: "openai" }) { ... on ResetBreakerSuccess { event { id } } }
    simulate: simulateFailure(input: { providerId: "openai", mode: TIMEOUT, duration: "5m", maxFailures: 3 }) {
      ... on SimulateFailureSuccess { provider { simulation { mode rate endsAt } } } }
    defaults: simulateFailure(input: { providerId: "google" }) {
      ... on SimulateFailureSuccess { provider { simulation { mode rate endsAt } } } }
    stop: stopSimulation(input: {}) { ... on StopSimulationSuccess { providers { key simulation { mode } } } }
    off: setProviderEnabled(input: { providerId: "google", enabled: false }) { ... on SetProviderEnabledSuccess { provider { enabled health } } }
  }`;
  const { data, errors } = await ask(service, query);
  expect(errors).toEqual([]);
  expect(data).toEqual({
    reset: {
      provider: { health: 'HEALTHY', breaker: { state: 'CLOSED', epoch: 1 } },
      event: {
        id: 'bev_000000000001',
        cause: 'MANUAL_RESET',
        message: 'closed by hand: drill is over',
        from: 'OPEN',
        to: 'CLOSED',
        snapshot: false,
        replicaId: 'replica-2',
      },
    },
    again: { event: null },
    simulate: { provider: { simulation: { mode: 'TIMEOUT', rate: 1, endsAt: '2026-01-01T00:05:00.000Z' } } },
    defaults: { provider: { simulation: { mode: 'ERROR', rate: 1, endsAt: '2026-01-01T00:01:00.000Z' } } },
    stop: {
      providers: [
        { key: 'openai', simulation: null },
        { key: 'google', simulation: null },
      ],
    },
    off: { provider: { enabled: false, health: 'DISABLED' } },
  });
});

test('what an operator may get wrong is a type of its own', async () => {
  await using service = await startService();
  const { data } = await ask(
    service,
    `mutation {
      a: resetBreaker(input: { providerId: "x" }) { __typename ... on ApiError { code message requestId } }
      b: stopSimulation(input: { providerId: "x" }) { __typename }
      c: setProviderEnabled(input: { providerId: "x", enabled: true }) { __typename }
      d: simulateFailure(input: { providerId: "x" }) { __typename }
      e: simulateFailure(input: { providerId: "openai", rate: 2 }) { __typename ... on InvalidInputError { issues { path } } }
      f: simulateFailure(input: { providerId: "openai", latencyMs: 13 }) { __typename }
    }`,
  );
  expect(data).toEqual({
    a: { __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'No provider is called "x".', requestId: null },
    b: { __typename: 'NotFoundError' },
    c: { __typename: 'NotFoundError' },
    d: { __typename: 'NotFoundError' },
    e: { __typename: 'InvalidInputError', issues: [{ path: ['rate'] }] },
    f: { __typename: 'FeatureDisabledError' },
  });
});

test('everything with a global id is found again by it', async () => {
  await using service = await startService();
  const chat = await ask(
    service,
    'mutation { chat(input: { prompt: "hi" }) { ... on ChatSuccess { request { id } } } }',
  );
  service.gateway.change('openai', {});
  const ids = [
    chat.data.chat.request.id,
    'prov_google',
    'model_openai/gpt-5.1',
    'bud_alice',
    'bev_000000000001',
    'bev_000000000001_google',
    'bev_000000000009',
    'model_openai/none',
    'prov_none',
    'nonsense',
  ];
  const { data } = await ask(
    service,
    'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } node(id: "prov_openai") { id ... on Provider { key } } }',
    { ids },
  );
  expect(data.node).toEqual({ id: 'prov_openai', key: 'openai' });
  expect(data.nodes).toEqual([
    { __typename: 'Request', id: ids[0] },
    { __typename: 'Provider', id: ids[1] },
    { __typename: 'Model', id: ids[2] },
    { __typename: 'Budget', id: ids[3] },
    { __typename: 'BreakerEvent', id: ids[4] },
    { __typename: 'BreakerEvent', id: ids[5] },
    null,
    null,
    null,
    null,
  ]);
});

test('more than a hundred ids at once are refused', async () => {
  await using service = await startService();
  const ids = Array.from({ length: 101 }, () => 'prov_openai');
  const { errors } = await ask(service, 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
  expect(errors).toMatchObject([
    { message: '`ids` takes at most 100 ids, got 101.', extensions: { code: 'INVALID_INPUT' } },
  ]);
});

test('the gateway tells what it is, and the viewer what they may do', async () => {
  await using service = await startService();
  service.gateway.replicas = 4;
  const { data } = await ask(
    service,
    '{ gateway { version store replicaId replicas startedAt configHash simulationsEnabled } viewer { scopes userId budget { id } } }',
  );
  expect(data).toEqual({
    gateway: {
      version: '0.1.0-test',
      store: 'MEMORY',
      replicaId: 'replica-1',
      replicas: 4,
      startedAt: '2026-01-01T00:00:00.000Z',
      configHash: 'abc123',
      simulationsEnabled: true,
    },
    viewer: { scopes: ['admin'], userId: null, budget: null },
  });
});
