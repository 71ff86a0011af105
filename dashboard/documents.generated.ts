// Made by `npm run generate-documents` from dashboard/documents and schema.graphql: do not edit.

/** An operation of the page, known to the gateway by its id. The two types are what comes back and what is sent along. */
export interface PageDocument<Data, Variables> {
  readonly id: string;
  readonly name: string;
  /** Never there: it only ties the types to the document. */
  readonly types?: { readonly data: Data; readonly variables: Variables };
}

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
export type AttemptOutcome =
  | 'CANCELLED'
  | 'INVALID_RESPONSE'
  | 'NETWORK_ERROR'
  | 'PROVIDER_ERROR'
  | 'RATE_LIMITED'
  | 'REJECTED'
  | 'SUCCEEDED'
  | 'TIMED_OUT';

export type BreakerCause =
  | 'COOLDOWN_ELAPSED'
  | 'FAILURE_THRESHOLD'
  | 'MANUAL_RESET'
  | 'PROBE_FAILED'
  | 'PROBE_SUCCEEDED'
  | 'SIMULATION'
  | 'SNAPSHOT';

export type BreakerState =
  | 'CLOSED'
  | 'HALF_OPEN'
  | 'OPEN';

export type BudgetLevel =
  | 'KEY'
  | 'TEAM'
  | 'USER';

export type BudgetPeriod =
  | 'DAILY'
  | 'MONTHLY'
  | 'TOTAL'
  | 'WEEKLY';

export type BudgetStatus =
  | 'EXHAUSTED'
  | 'OK'
  | 'WARNING';

export type Door =
  | 'GRAPHQL'
  | 'REST';

export type ErrorCode =
  | 'ALL_PROVIDERS_FAILED'
  | 'BUDGET_EXCEEDED'
  | 'CANCELLED'
  | 'COST_LIMIT_TOO_LOW'
  | 'FEATURE_DISABLED'
  | 'IDEMPOTENCY_CONFLICT'
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'NO_PROVIDER_AVAILABLE'
  | 'RATE_LIMITED'
  | 'TIMED_OUT';

export type FailureMode =
  | 'DISCONNECT'
  | 'ERROR'
  | 'MALFORMED'
  | 'RATE_LIMIT'
  | 'SLOW'
  | 'TIMEOUT';

export type ProviderHealth =
  | 'DEGRADED'
  | 'DISABLED'
  | 'DOWN'
  | 'HEALTHY';

export type ProviderKind =
  | 'ANTHROPIC'
  | 'GEMINI'
  | 'MOCK'
  | 'OPENAI'
  | 'OPENAI_COMPATIBLE';

export type RejectionReason =
  | 'BREAKER_OPEN'
  | 'BREAKER_PROBING'
  | 'CONTEXT_TOO_LONG'
  | 'DISABLED'
  | 'EXCLUDED'
  | 'MISSING_CAPABILITY'
  | 'OVER_BUDGET'
  | 'OVER_COST_LIMIT'
  | 'OVER_MAX_PRICE'
  | 'RATE_LIMITED'
  | 'TOO_SLOW';

export type RequestCategory =
  | 'ANALYSIS'
  | 'CODE'
  | 'GENERAL'
  | 'WRITING';

export type RequestStatus =
  | 'CANCELLED'
  | 'FAILED'
  | 'REFUSED'
  | 'RUNNING'
  | 'SUCCEEDED';

export type StoreKind =
  | 'EMBEDDED'
  | 'MEMORY'
  | 'POSTGRES';

export type StoreMode =
  | 'NORMAL'
  | 'REFUSING'
  | 'SLICES';

export type AllProvidersQueryVariables = Exact<{ [key: string]: never; }>;


export type AllProvidersQuery = { readonly providers: ReadonlyArray<(
    { readonly id: string, readonly displayName: string, readonly kind: ProviderKind, readonly models: ReadonlyArray<{ readonly name: string }>, readonly breaker: { readonly failureThreshold: number, readonly cooldownMs: number, readonly events: { readonly nodes: ReadonlyArray<BreakerChangeFragment> } } }
    & ProviderNowFragment
  )> };

export type BreakerChangeFragment = { readonly id: string, readonly epoch: number, readonly from: BreakerState | null, readonly to: BreakerState, readonly cause: BreakerCause, readonly message: string, readonly consecutiveFailures: number, readonly nextProbeAt: string | null, readonly occurredAt: string, readonly snapshot: boolean };

export type BreakerEventsSubscriptionVariables = Exact<{
  after?: string | number | null | undefined;
}>;


export type BreakerEventsSubscription = { readonly breakerEvents: (
    { readonly dropped: number, readonly provider: ProviderNowFragment }
    & BreakerChangeFragment
  ) };

export type BudgetEventsSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type BudgetEventsSubscription = { readonly budgetEvents: { readonly budget: BudgetNowFragment } };

export type BudgetNowFragment = { readonly id: string, readonly level: BudgetLevel, readonly userId: string, readonly limitUsd: string, readonly spentUsd: string, readonly reservedUsd: string, readonly remainingUsd: string, readonly utilization: number, readonly status: BudgetStatus, readonly period: BudgetPeriod, readonly resetsAt: string | null };

export type CancelChatMutationVariables = Exact<{
  requestId: string | number;
}>;


export type CancelChatMutation = { readonly cancelChat:
    | { readonly __typename: 'CancelChatSuccess' }
    | { readonly __typename: 'NotFoundError', readonly code: ErrorCode, readonly message: string }
   };

export type DecisionRowFragment = { readonly id: string, readonly createdAt: string, readonly status: RequestStatus, readonly door: Door, readonly userId: string | null, readonly modelRequested: string, readonly modelName: string | null, readonly provider: { readonly key: string } | null, readonly cost: { readonly totalUsd: string } | null, readonly timing: { readonly totalMs: number, readonly timeToFirstTokenMs: number | null } | null, readonly error:
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
    | { readonly code: ErrorCode, readonly message: string }
   | null, readonly routing: { readonly summary: string, readonly classification: { readonly category: RequestCategory }, readonly attempts: ReadonlyArray<{ readonly outcome: AttemptOutcome, readonly durationMs: number, readonly errorMessage: string | null, readonly provider: { readonly key: string } }> } | null };

export type FullestBudgetsQueryVariables = Exact<{
  first: number;
}>;


export type FullestBudgetsQuery = { readonly budgets: { readonly nodes: ReadonlyArray<BudgetNowFragment> } };

export type GatewayFactsQueryVariables = Exact<{ [key: string]: never; }>;


export type GatewayFactsQuery = { readonly gateway: { readonly version: string, readonly store: StoreKind, readonly storeMode: StoreMode, readonly configHash: string, readonly configStale: boolean, readonly replicaId: string, readonly replicas: number, readonly simulationsEnabled: boolean, readonly startedAt: string }, readonly viewer: { readonly scopes: ReadonlyArray<string> } };

export type LatestRequestsQueryVariables = Exact<{ [key: string]: never; }>;


export type LatestRequestsQuery = { readonly requests: { readonly nodes: ReadonlyArray<DecisionRowFragment> } };

export type MetricsFragment = { readonly requests: number, readonly succeeded: number, readonly failed: number, readonly refused: number, readonly rescued: number, readonly attempts: number, readonly attemptsFailed: number, readonly successRate: number | null, readonly costUsd: string, readonly savedUsd: string, readonly latency: { readonly p50Ms: number | null, readonly p95Ms: number | null, readonly p99Ms: number | null }, readonly timeToFirstToken: { readonly p50Ms: number | null, readonly p95Ms: number | null, readonly p99Ms: number | null } };

export type OneRequestQueryVariables = Exact<{
  id: string | number;
}>;


export type OneRequestQuery = { readonly request: (
    { readonly usage: { readonly inputTokens: number, readonly outputTokens: number } | null, readonly cost: { readonly reservedUsd: string } | null, readonly timing: { readonly overheadMs: number } | null, readonly routing: RoutingFragment | null }
    & DecisionRowFragment
  ) | null };

export type PreviewQueryVariables = Exact<{
  prompt: string;
}>;


export type PreviewQuery = { readonly routePreview: { readonly estimatedInputTokens: number, readonly reservationUsd: string, readonly decision: RoutingFragment, readonly selected: CandidateFragment | null, readonly blockedBy:
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
      | { readonly code: ErrorCode, readonly message: string }
     | null } };

export type ProviderNowFragment = { readonly key: string, readonly enabled: boolean, readonly health: ProviderHealth, readonly breaker: { readonly state: BreakerState, readonly epoch: number, readonly consecutiveFailures: number, readonly openedAt: string | null, readonly nextProbeAt: string | null, readonly changedAt: string }, readonly rateLimit: { readonly limit: number, readonly used: number, readonly windowMs: number, readonly nextAvailableAt: string | null }, readonly simulation: { readonly mode: FailureMode, readonly rate: number, readonly endsAt: string, readonly failuresInjected: number } | null };

export type RequestEventsSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type RequestEventsSubscription = { readonly requestEvents: { readonly dropped: number, readonly request: DecisionRowFragment } };

export type ResetBreakerMutationVariables = Exact<{
  provider: string | number;
}>;


export type ResetBreakerMutation = { readonly resetBreaker:
    | { readonly __typename: 'NotFoundError', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'ResetBreakerSuccess', readonly provider: ProviderNowFragment }
   };

export type CandidateFragment = { readonly modelName: string, readonly rank: number | null, readonly score: number | null, readonly estimatedCostUsd: string | null, readonly estimatedLatencyMs: number | null, readonly provider: { readonly key: string }, readonly scoreTerms: ReadonlyArray<{ readonly name: string, readonly value: number, readonly weight: number }>, readonly rejection: { readonly reason: RejectionReason, readonly detail: string } | null };

export type RoutingFragment = { readonly summary: string, readonly policy: string, readonly classification: { readonly category: RequestCategory, readonly confidence: number, readonly signals: ReadonlyArray<string> }, readonly candidates: ReadonlyArray<CandidateFragment>, readonly attempts: ReadonlyArray<{ readonly number: number, readonly modelName: string, readonly outcome: AttemptOutcome, readonly httpStatus: number | null, readonly errorMessage: string | null, readonly durationMs: number, readonly costUsd: string, readonly countedByBreaker: boolean, readonly provider: { readonly key: string } }> };

export type SetEnabledMutationVariables = Exact<{
  provider: string | number;
  enabled: boolean;
}>;


export type SetEnabledMutation = { readonly setProviderEnabled:
    | { readonly __typename: 'NotFoundError', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'SetProviderEnabledSuccess', readonly provider: ProviderNowFragment }
   };

export type SimulateMutationVariables = Exact<{
  provider: string | number;
  mode: FailureMode;
  duration: string;
}>;


export type SimulateMutation = { readonly simulateFailure:
    | { readonly __typename: 'FeatureDisabledError', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidInputError', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'NotFoundError', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'SimulateFailureSuccess', readonly provider: ProviderNowFragment }
   };

export type StopSimulationMutationVariables = Exact<{
  provider: string | number;
}>;


export type StopSimulationMutation = { readonly stopSimulation:
    | { readonly __typename: 'NotFoundError', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'StopSimulationSuccess', readonly providers: ReadonlyArray<ProviderNowFragment> }
   };

export type TicksSubscriptionVariables = Exact<{
  window: string;
}>;


export type TicksSubscription = { readonly analyticsTicks: { readonly at: string, readonly burnUsdPerHour: string, readonly inFlight: number, readonly totals: MetricsFragment, readonly providers: ReadonlyArray<{ readonly provider: ProviderNowFragment, readonly metrics: MetricsFragment }> } };

export type TryItSubscriptionVariables = Exact<{
  prompt: string;
  idempotencyKey: string;
  resumeAfter?: number | null | undefined;
}>;


export type TryItSubscription = { readonly chatStream:
    | { readonly __typename: 'ChatCompleted', readonly sequence: number, readonly result: { readonly content: string | null, readonly modelName: string, readonly request: { readonly id: string }, readonly provider: { readonly key: string }, readonly cost: { readonly totalUsd: string }, readonly timing: { readonly totalMs: number }, readonly routing: { readonly summary: string, readonly attempts: ReadonlyArray<{ readonly outcome: AttemptOutcome, readonly durationMs: number, readonly errorMessage: string | null, readonly provider: { readonly key: string } }> } } }
    | { readonly __typename: 'ChatDelta', readonly sequence: number, readonly content: string | null }
    | { readonly __typename: 'ChatFailed', readonly sequence: number, readonly costUsd: string, readonly error:
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
        | { readonly code: ErrorCode, readonly message: string, readonly requestId: string | null }
       }
    | { readonly __typename: 'ChatRerouted', readonly sequence: number, readonly failed: { readonly outcome: AttemptOutcome, readonly durationMs: number, readonly errorMessage: string | null, readonly provider: { readonly key: string } }, readonly provider: { readonly key: string } }
    | { readonly __typename: 'ChatStarted', readonly sequence: number, readonly requestId: string, readonly routing: { readonly candidates: ReadonlyArray<{ readonly rank: number | null, readonly provider: { readonly key: string } }> } }
   };

export const AllProviders: PageDocument<AllProvidersQuery, AllProvidersQueryVariables> = {
  id: 'sha256:6962855e9194acc2ed0ddb156aa1ae914398f164f7ceb4f7c2299f8ffff2bd8d',
  name: 'AllProviders',
};
export const BreakerEvents: PageDocument<BreakerEventsSubscription, BreakerEventsSubscriptionVariables> = {
  id: 'sha256:f73e606b24cb73c3e883cec08a7818ad0bbfbf86bbc1966552414d7e8ed060d2',
  name: 'BreakerEvents',
};
export const BudgetEvents: PageDocument<BudgetEventsSubscription, BudgetEventsSubscriptionVariables> = {
  id: 'sha256:c94b95812d4ed2dc2e16011a889fe08e15226563f538654da62015e92016e422',
  name: 'BudgetEvents',
};
export const CancelChat: PageDocument<CancelChatMutation, CancelChatMutationVariables> = {
  id: 'sha256:fcb9681dfb56189d5afb7cbde944b65b34f32f9ac82ba4836467dd16657f65f5',
  name: 'CancelChat',
};
export const FullestBudgets: PageDocument<FullestBudgetsQuery, FullestBudgetsQueryVariables> = {
  id: 'sha256:e55300e0acb0932b22e47454c94e660c75884f74592b0308d53fca6663c9b5e2',
  name: 'FullestBudgets',
};
export const GatewayFacts: PageDocument<GatewayFactsQuery, GatewayFactsQueryVariables> = {
  id: 'sha256:621c812ac88d7373f2e8e348961c7981f44d50b89d6f1319cfdf2978635f4230',
  name: 'GatewayFacts',
};
export const LatestRequests: PageDocument<LatestRequestsQuery, LatestRequestsQueryVariables> = {
  id: 'sha256:d85b2937ae8486cd166a277ebc7c849167f8f648900fdfed061a1086604fb123',
  name: 'LatestRequests',
};
export const OneRequest: PageDocument<OneRequestQuery, OneRequestQueryVariables> = {
  id: 'sha256:1eefe403c05f1035343091e1c4fabcfb9c86eb39c4b2bc5677ec0c272e958d36',
  name: 'OneRequest',
};
export const Preview: PageDocument<PreviewQuery, PreviewQueryVariables> = {
  id: 'sha256:446c0fd80a4ce6e3fef8c5dd9ad70a04f70385e8cd2f0777e87c6a163dfefb5e',
  name: 'Preview',
};
export const RequestEvents: PageDocument<RequestEventsSubscription, RequestEventsSubscriptionVariables> = {
  id: 'sha256:f5899b52b68444e26745e461b35d444884d31b2b3e6fccbee6ed9397ff7e5c38',
  name: 'RequestEvents',
};
export const ResetBreaker: PageDocument<ResetBreakerMutation, ResetBreakerMutationVariables> = {
  id: 'sha256:816a8c966ed91c2ee181b2999649b8bf71350a780e9f9204d01661ad1a3889f2',
  name: 'ResetBreaker',
};
export const SetEnabled: PageDocument<SetEnabledMutation, SetEnabledMutationVariables> = {
  id: 'sha256:815fc85458c95b910b8e9f09e1b76b31c896ee79ea139fbf888c1b5f04435b1f',
  name: 'SetEnabled',
};
export const Simulate: PageDocument<SimulateMutation, SimulateMutationVariables> = {
  id: 'sha256:9421c29ab075e5f0c24b408ef801420bb69fdadc9fdf6ee14dd673b2f0bb77e5',
  name: 'Simulate',
};
export const StopSimulation: PageDocument<StopSimulationMutation, StopSimulationMutationVariables> = {
  id: 'sha256:a5b4a1dd2f2a642a0ff27a7fc81399a5f5f2b446b1a1ec9ca6afd8fccb250212',
  name: 'StopSimulation',
};
export const Ticks: PageDocument<TicksSubscription, TicksSubscriptionVariables> = {
  id: 'sha256:5e0b7809a559e0681093a77d4b85d09a6ce3737eefb10e5b57562a17bf6572c6',
  name: 'Ticks',
};
export const TryIt: PageDocument<TryItSubscription, TryItSubscriptionVariables> = {
  id: 'sha256:09aa9e0a3d08ce97a70bd418e444ae0539b492cee4daa57fa224d187736ff577',
  name: 'TryIt',
};
