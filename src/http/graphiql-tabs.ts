/** One ready example: a complete document, and variables to change. */
export interface GraphiqlTab {
  readonly query: string;
  readonly variables: string;
}

const CHAT = `# Ask something: press the red button, or Ctrl+Enter.
# The best provider answers; when it fails, the next does.
# Every way this can end is a type of its own: look up
# ChatResult in the docs on the left.
mutation Chat($input: ChatInput!) {
  chat(input: $input) {
    __typename
    ... on ChatSuccess {
      content
      provider { key }
      modelName
      cost { totalUsd reservedUsd }
      timing { totalMs overheadMs }
      budget { remainingUsd }
      routing {
        summary
        candidates {
          provider { key }
          modelName
          rank
          score
          estimatedCostUsd
          rejection { reason detail }
        }
        attempts {
          number
          provider { key }
          outcome
          durationMs
          costUsd
        }
      }
      # Kept: the query request(id:) finds it again.
      request { id createdAt status }
    }
    # One fragment for every failure, later ones included.
    ... on ApiError {
      message
      code
      retryable
      retryAfterMs
      requestId
    }
  }
}
`;

const ROUTE_PREVIEW = `# Explains how a chat would be routed right now.
# Nobody is called, nothing is spent, nothing changes.
query RoutePreview($input: ChatInput!) {
  routePreview(input: $input) {
    decision {
      summary
      classification { category confidence signals }
      candidates {
        provider { key }
        modelName
        rank
        score
        # A score is the sum of value times weight.
        scoreTerms { name value weight }
        estimatedCostUsd
        estimatedLatencyMs
        rejection { reason detail }
      }
    }
    selected { provider { key } modelName }
    # Why it would be refused, if it would be.
    blockedBy { code message retryable }
    estimatedInputTokens
    reservationUsd
  }
}
`;

const PROVIDERS = `# All providers with their live state, on all replicas.
query Providers($window: TimeWindowInput) {
  providers {
    id
    displayName
    kind
    health
    breaker { state epoch consecutiveFailures nextProbeAt }
    rateLimit { used limit remaining nextAvailableAt }
    models {
      name
      aliases
      inputUsdPerMillion
      outputUsdPerMillion
    }
    specialties
    stats(window: $window) {
      requests
      attempts
      attemptsFailed
      costUsd
      latency { p50Ms p95Ms }
    }
    # Set by the mutation simulateFailure.
    simulation { mode rate endsAt failuresInjected }
  }
}
`;

const ANALYTICS = `# Totals, groups and a time series, out of one snapshot.
query Analytics($window: TimeWindowInput, $groupBy: [AnalyticsDimension!]) {
  analytics(window: $window, groupBy: $groupBy) {
    from
    to
    freshUntil
    totals {
      requests
      succeeded
      failed
      refused
      rescued
      attempts
      successRate
      costUsd
      savedUsd
      latency { p50Ms p95Ms p99Ms }
      overhead { p50Ms p99Ms }
    }
    groups {
      keys { dimension value }
      metrics { requests succeeded costUsd latency { p95Ms } }
    }
    # Leave the interval out for one that is easy to draw.
    series(interval: "PT5M") {
      at
      metrics { requests failed costUsd }
    }
  }
}
`;

const BREAKER_EVENTS = `# Live: the present state of each breaker first, then
# every change on any replica. Open or close one with the
# mutations simulateFailure and resetBreaker.
# Keep the last id: sent as "after", it replays whatever
# came later, without a gap.
subscription BreakerEvents($providerId: ID, $after: ID) {
  breakerEvents(providerId: $providerId, after: $after) {
    id
    provider { key health }
    from
    to
    cause
    message
    consecutiveFailures
    nextProbeAt
    occurredAt
    snapshot
    dropped
  }
}
`;

/** What GraphiQL opens with, in this order. A tab is called after its operation. */
export const GRAPHIQL_TABS: readonly GraphiqlTab[] = [
  {
    query: CHAT,
    variables: variables({
      input: {
        prompt: 'Write a haiku about railway switches.',
        userId: 'alice',
        maxCostUsd: '0.05',
        routing: { sort: 'PRICE' },
      },
    }),
  },
  {
    query: ROUTE_PREVIEW,
    variables: variables({
      input: { prompt: 'Refactor this function to use async/await: function f(cb) { g(cb) }', userId: 'alice' },
    }),
  },
  { query: PROVIDERS, variables: variables({ window: { last: '15m' } }) },
  { query: ANALYTICS, variables: variables({ window: { last: '1h' }, groupBy: ['PROVIDER', 'CATEGORY'] }) },
  { query: BREAKER_EVENTS, variables: variables({ providerId: null, after: null }) },
];

function variables(values: object): string {
  return JSON.stringify(values, null, 2);
}
