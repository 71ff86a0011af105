import type {
  AllProvidersQuery,
  BreakerEventsSubscription,
  BudgetNowFragment,
  DecisionRowFragment,
  GatewayFactsQuery,
  MetricsFragment,
  ProviderNowFragment,
} from '../../dashboard/documents.generated.ts';
import type { Tick } from '../../dashboard/model/reading.ts';

// What a gateway says, as it stands in its answers.

export const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

export function at(seconds: number): string {
  return new Date(START_MS + seconds * 1_000).toISOString();
}

export function providerNow(key: string, breaker: Partial<ProviderNowFragment['breaker']> = {}): ProviderNowFragment {
  return {
    key,
    enabled: true,
    health: 'HEALTHY',
    breaker: {
      state: 'CLOSED',
      epoch: 0,
      consecutiveFailures: 0,
      openedAt: null,
      nextProbeAt: null,
      changedAt: at(0),
      ...breaker,
    },
    rateLimit: { limit: 60, used: 0, windowMs: 60_000, nextAvailableAt: null },
    simulation: null,
  };
}

export function allProviders(...keys: readonly string[]): AllProvidersQuery {
  return {
    providers: keys.map((key) => {
      const now = providerNow(key);
      const breaker = { ...now.breaker, failureThreshold: 3, cooldownMs: 60_000, events: { nodes: [] } };
      return {
        ...now,
        id: `prov_${key}`,
        displayName: key.toUpperCase(),
        kind: 'MOCK',
        models: [{ name: 'm' }],
        breaker,
      };
    }),
  };
}

export function opened(key: string, epoch: number, over: object = {}): BreakerEventsSubscription['breakerEvents'] {
  return {
    id: `bev_${epoch}`,
    epoch,
    from: 'CLOSED',
    to: 'OPEN',
    cause: 'FAILURE_THRESHOLD',
    message: 'opened after 3 failures in a row',
    consecutiveFailures: 3,
    nextProbeAt: at(60),
    occurredAt: at(epoch),
    snapshot: false,
    dropped: 0,
    provider: providerNow(key, {
      state: 'OPEN',
      epoch,
      consecutiveFailures: 3,
      nextProbeAt: at(60),
      openedAt: at(epoch),
    }),
    ...over,
  };
}

export function metrics(over: Partial<MetricsFragment> = {}): MetricsFragment {
  const none = { p50Ms: null, p95Ms: null, p99Ms: null };
  return {
    requests: 0,
    succeeded: 0,
    failed: 0,
    refused: 0,
    rescued: 0,
    attempts: 0,
    attemptsFailed: 0,
    successRate: null,
    costUsd: '0.00',
    savedUsd: '0.00',
    latency: none,
    timeToFirstToken: none,
    ...over,
  };
}

export function tick(seconds: number, providers: Readonly<Record<string, Partial<MetricsFragment>>>): Tick {
  return {
    at: at(seconds),
    burnUsdPerHour: '4.10',
    inFlight: 2,
    totals: metrics({ requests: 120, succeeded: 118 }),
    providers: Object.entries(providers).map(([key, over]) => ({ provider: providerNow(key), metrics: metrics(over) })),
  };
}

type Attempt = NonNullable<DecisionRowFragment['routing']>['attempts'][number];

export function attempt(key: string, outcome: Attempt['outcome'], errorMessage: string | null = null): Attempt {
  return { provider: { key }, outcome, durationMs: 40, errorMessage };
}

export function row(id: string, seconds: number, over: Partial<DecisionRowFragment> = {}): DecisionRowFragment {
  return {
    id,
    createdAt: at(seconds),
    status: 'SUCCEEDED',
    door: 'GRAPHQL',
    userId: 'ann',
    modelRequested: 'auto',
    modelName: 'm',
    provider: { key: 'openai' },
    cost: { totalUsd: '0.0021' },
    timing: { totalMs: 120, timeToFirstTokenMs: null },
    error: null,
    routing: { summary: 'cheapest', classification: { category: 'CODE' }, attempts: [attempt('openai', 'SUCCEEDED')] },
    ...over,
  };
}

export function budget(owner: string, utilization: number): BudgetNowFragment {
  return {
    id: `budget_${owner}`,
    level: 'USER',
    userId: owner,
    limitUsd: '1.00',
    spentUsd: '0.10',
    reservedUsd: '0.05',
    remainingUsd: '0.85',
    utilization,
    status: 'OK',
    period: 'DAILY',
    resetsAt: at(3_600),
  };
}

export function facts(replicaId: string, configHash: string): GatewayFactsQuery {
  return {
    gateway: {
      version: '1.0.0',
      store: 'POSTGRES',
      storeMode: 'NORMAL',
      configHash,
      configStale: false,
      replicaId,
      replicas: 2,
      simulationsEnabled: true,
      startedAt: at(0),
    },
    viewer: { scopes: ['admin'] },
  };
}
