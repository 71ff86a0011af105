// What the gateway says, in the words of the picture.

import type {
  AllProvidersQuery,
  BreakerChangeFragment,
  BudgetNowFragment,
  CandidateFragment,
  DecisionRowFragment,
  GatewayFactsQuery,
  MetricsFragment,
  OneRequestQuery,
  ProviderNowFragment,
  RoutingFragment,
  TicksSubscription,
} from '../documents.generated.ts';
import type {
  Breaker,
  BreakerChange,
  BudgetRow,
  Candidate,
  Decision,
  DecisionDetail,
  GatewayFacts,
  Numbers,
  PathStep,
  ProviderCard,
  RateLimit,
  RoomState,
  Routing,
  Simulation,
  TickPoint,
  Totals,
  WindowName,
} from './room-state.ts';

export type Tick = TicksSubscription['analyticsTicks'];

const WINDOW_S: Readonly<Record<WindowName, number>> = { '1m': 60, '5m': 300, '15m': 900, '1h': 3600 };

export function momentOf(text: string): number {
  return Date.parse(text);
}

function momentOrNull(text: string | null): number | null {
  return text === null ? null : momentOf(text);
}

/**
 * Each connection is of one replica, and no replica tells the configurations of the others: two are compared when the page
 * changes from one to the other. That is of no worth any more when the gateway itself would no longer count the older one.
 */
const REPLICA_SEEN_MS = 60_000;

export function gatewayOf(
  { gateway, viewer }: GatewayFactsQuery,
  { before, atMs }: { readonly before: GatewayFacts | null; readonly atMs: number },
): GatewayFacts {
  const { store, simulationsEnabled, startedAt, configStale, ...facts } = gateway;
  return {
    ...facts,
    storeKind: store,
    areSimulationsEnabled: simulationsEnabled,
    startedAtMs: momentOf(startedAt),
    isConfigStale: configStale,
    configsDifferUntilMs: before === null ? null : differenceOf(before, { ...facts, atMs }),
    scopes: viewer.scopes,
  };
}

function differenceOf(
  before: GatewayFacts,
  now: { readonly replicaId: string; readonly configHash: string; readonly atMs: number },
): number | null {
  const isSame = before.configHash === now.configHash;
  if (before.replicaId !== now.replicaId) return isSame ? null : now.atMs + REPLICA_SEEN_MS;
  const untilMs = before.configsDifferUntilMs;
  return isSame && untilMs !== null && untilMs > now.atMs ? untilMs : null;
}

export function cardOf(provider: AllProvidersQuery['providers'][number]): ProviderCard {
  const { breaker } = provider;
  const history = breaker.events.nodes.map(changeOf);
  const { failureThreshold, cooldownMs } = breaker;
  return {
    id: provider.id,
    key: provider.key,
    name: provider.displayName,
    kind: provider.kind,
    models: provider.models.map(({ name }) => name),
    breaker: { ...breakerNowOf(provider), failureThreshold, cooldownMs, history, lastChange: history[0] ?? null },
    ...standingOf(provider),
    numbers: null,
    trafficShare: null,
    errorShare: null,
    lastFailure: null,
  };
}

/** What of a provider changes by itself, but for its breaker. */
export function standingOf(now: ProviderNowFragment): {
  readonly isEnabled: boolean;
  readonly health: ProviderCard['health'];
  readonly rateLimit: RateLimit;
  readonly simulation: Simulation | null;
} {
  const { limit, used, windowMs, nextAvailableAt } = now.rateLimit;
  const rateLimit = { limit, used, windowMs, nextAvailableAtMs: momentOrNull(nextAvailableAt) };
  return { isEnabled: now.enabled, health: now.health, rateLimit, simulation: simulationOf(now) };
}

function simulationOf({ simulation }: ProviderNowFragment): Simulation | null {
  if (simulation === null) return null;
  const { endsAt, ...rest } = simulation;
  return { ...rest, endsAtMs: momentOf(endsAt) };
}

export function breakerNowOf({
  breaker,
}: ProviderNowFragment): Omit<Breaker, 'failureThreshold' | 'cooldownMs' | 'history' | 'lastChange'> {
  return {
    state: breaker.state,
    epoch: breaker.epoch,
    consecutiveFailures: breaker.consecutiveFailures,
    openedAtMs: momentOrNull(breaker.openedAt),
    nextProbeAtMs: momentOrNull(breaker.nextProbeAt),
    changedAtMs: momentOf(breaker.changedAt),
  };
}

export function changeOf(event: BreakerChangeFragment): BreakerChange {
  const { id, epoch, from, to, cause, message, consecutiveFailures, occurredAt } = event;
  return { id, epoch, from, to, cause, message, consecutiveFailures, atMs: momentOf(occurredAt) };
}

export function numbersOf(metrics: MetricsFragment): Numbers {
  const { successRate, ...rest } = metrics;
  return { ...rest, successShare: successRate };
}

/** Memory alone knows nothing from before its start: the window is no longer than since then. */
function countedS(atMs: number, window: WindowName, gateway: GatewayFacts | null): number {
  if (gateway?.storeKind !== 'MEMORY') return WINDOW_S[window];
  return Math.min(WINDOW_S[window], Math.max(1, (atMs - gateway.startedAtMs) / 1_000));
}

export function totalsOf(tick: Tick, { window, gateway }: Pick<RoomState, 'window' | 'gateway'>): Totals {
  const atMs = momentOf(tick.at);
  return {
    ...numbersOf(tick.totals),
    atMs,
    requestsPerSecond: tick.totals.requests / countedS(atMs, window, gateway),
    burnUsdPerHour: tick.burnUsdPerHour,
    inFlight: tick.inFlight,
  };
}

export function pointOf({ at, totals, inFlight, providers }: Tick): TickPoint {
  const { requests, succeeded, failed, refused, latency } = totals;
  return {
    atMs: momentOf(at),
    ...{ requests, succeeded, failed, refused, inFlight },
    ...latency,
    providers: providers.map(({ provider, metrics }) => ({
      key: provider.key,
      requests: metrics.requests,
      costUsd: Number(metrics.costUsd),
    })),
  };
}

export function decisionOf(row: DecisionRowFragment): Decision {
  const { provider, modelName, routing, status } = row;
  const isOver = status !== 'RUNNING';
  return {
    id: row.id,
    atMs: momentOf(row.createdAt),
    status,
    door: row.door,
    userId: row.userId,
    category: routing?.classification.category ?? null,
    modelRequested: row.modelRequested,
    path: (routing?.attempts ?? []).map(stepOf),
    answeredBy: provider === null || modelName === null ? null : { provider: provider.key, model: modelName },
    costUsd: isOver ? (row.cost?.totalUsd ?? null) : null,
    totalMs: isOver ? (row.timing?.totalMs ?? null) : null,
    timeToFirstTokenMs: row.timing?.timeToFirstTokenMs ?? null,
    summary: routing?.summary ?? null,
    error: row.error === null ? null : { code: row.error.code, message: row.error.message },
  };
}

type WireStep = NonNullable<DecisionRowFragment['routing']>['attempts'][number];

export function stepOf({ provider, outcome, durationMs, errorMessage }: WireStep): PathStep {
  return { provider: provider.key, outcome, durationMs, errorMessage };
}

export function detailOf(request: NonNullable<OneRequestQuery['request']>): DecisionDetail {
  const { usage } = request;
  return {
    kind: 'detail',
    decision: decisionOf(request),
    routing: request.routing === null ? null : routingOf(request.routing),
    tokens: usage === null ? null : { input: usage.inputTokens, output: usage.outputTokens },
    reservedUsd: request.cost?.reservedUsd ?? null,
    overheadMs: request.timing?.overheadMs ?? null,
  };
}

export function routingOf(routing: RoutingFragment): Routing {
  const { classification, candidates, attempts, summary, policy } = routing;
  return {
    summary,
    policy,
    ...classification,
    candidates: candidates.map(candidateOf),
    attempts: attempts.map(({ modelName, countedByBreaker, ...attempt }) => ({
      ...stepOf(attempt),
      number: attempt.number,
      model: modelName,
      costUsd: attempt.costUsd,
      httpStatus: attempt.httpStatus,
      isCountedByBreaker: countedByBreaker,
    })),
  };
}

export function candidateOf(candidate: CandidateFragment): Candidate {
  const { provider, modelName, rank, score, scoreTerms, rejection, estimatedCostUsd, estimatedLatencyMs } = candidate;
  return {
    provider: provider.key,
    model: modelName,
    terms: scoreTerms,
    ...{ rank, score, rejection, estimatedCostUsd, estimatedLatencyMs },
  };
}

export function budgetOf({ userId, resetsAt, ...rest }: BudgetNowFragment): BudgetRow {
  return { ...rest, owner: userId, resetsAtMs: momentOrNull(resetsAt) };
}
