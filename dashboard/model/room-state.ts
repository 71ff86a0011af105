// What the control room shows, as one immutable picture. Moments are epoch milliseconds by the gateway's clock, money is an exact
// decimal number of US dollars as text, shares lie between 0 and 1.

export interface RoomState {
  readonly connection: Connection;
  /** Null until the gateway has told. */
  readonly gateway: GatewayFacts | null;
  readonly window: WindowName;
  /** Null: the picture moves. */
  readonly paused: Paused | null;
  /** Of the newest tick. Null before the first one. */
  readonly totals: Totals | null;
  /** One point for each tick, oldest first, at most `LIMITS.seriesMax`; begins anew when the window is changed. */
  readonly series: readonly TickPoint[];
  /** In the order of the registry. */
  readonly providers: readonly ProviderCard[];
  /** Newest first, at most `LIMITS.decisionsMax`. */
  readonly decisions: readonly Decision[];
  /** Null: none is looked at. */
  readonly selected: Selected | null;
  /** Fullest first, at most `LIMITS.budgetsMax`. */
  readonly budgets: readonly BudgetRow[];
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly tryIt: TryIt;
  /** What came of what the user did, newest last, at most `LIMITS.noticesMax`. */
  readonly notices: readonly Notice[];
}

export const LIMITS = {
  seriesMax: 900,
  decisionsMax: 200,
  budgetsMax: 100,
  breakerHistoryMax: 20,
  noticesMax: 5,
  promptCharsMax: 20_000,
  answerCharsMax: 100_000,
} as const;

// ── The gateway and the way to it ──

export type Connection =
  | { readonly kind: 'connecting' }
  /** Null: no ping has come back yet. */
  | { readonly kind: 'live'; readonly roundTripMs: number | null }
  /** By the browser's own clock. Null: it is being tried now. */
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly retryAtMs: number | null }
  /** The gateway wants a key. */
  | { readonly kind: 'locked'; readonly why: string };

export interface GatewayFacts {
  readonly version: string;
  readonly storeKind: 'POSTGRES' | 'EMBEDDED' | 'MEMORY';
  readonly storeMode: 'NORMAL' | 'ISLAND' | 'DRAINING';
  readonly configHash: string;
  /** Others of the fleet that were met with another configuration than this one. */
  readonly isConfigAgreed: boolean;
  readonly replicaId: string;
  readonly replicas: number;
  readonly areSimulationsEnabled: boolean;
  readonly startedAtMs: number;
  /** What the key may do, in the words of the API; `admin` may do everything. */
  readonly scopes: readonly string[];
  /** True when the page came in with a key. */
  readonly hasKey: boolean;
}

export const WINDOWS = ['1m', '5m', '15m', '1h'] as const;
export type WindowName = (typeof WINDOWS)[number];

export interface Paused {
  readonly sinceMs: number;
  /** Decisions and breaker changes that came since. */
  readonly newEvents: number;
}

/** Each is fed by one subscription or query of its own, and can be refused on its own. */
export const PARTS = ['gateway', 'providers', 'ticks', 'breakers', 'decisions', 'budgets'] as const;
export type PartName = (typeof PARTS)[number];

export type Part =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ok' }
  /** A sentence for people; of a missing scope it names the scope. */
  | { readonly kind: 'refused'; readonly code: string; readonly why: string };

// ── Numbers ──

/** Times in milliseconds; all null without data. */
export interface Percentiles {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface Numbers {
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  /** Answered only after a fallback. */
  readonly rescued: number;
  readonly attempts: number;
  readonly attemptsFailed: number;
  /** Null without requests. */
  readonly successShare: number | null;
  readonly costUsd: string;
  readonly savedUsd: string;
  readonly latency: Percentiles;
  readonly timeToFirstToken: Percentiles;
}

export interface Totals extends Numbers {
  readonly atMs: number;
  /** Over the window. */
  readonly requestsPerSecond: number;
  readonly burnUsdPerHour: string;
  readonly inFlight: number;
}

/** A tick as the charts need it. Each figure is of the rolling window that ends at `atMs`. */
export interface TickPoint {
  readonly atMs: number;
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly inFlight: number;
  readonly providers: readonly ProviderPoint[];
}

export interface ProviderPoint {
  readonly key: string;
  readonly requests: number;
  /** For drawing only: exact money is text. */
  readonly costUsd: number;
}

// ── Providers ──

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export type BreakerCause =
  | 'FAILURE_THRESHOLD'
  | 'COOLDOWN_ELAPSED'
  | 'PROBE_SUCCEEDED'
  | 'PROBE_FAILED'
  | 'MANUAL_RESET'
  | 'SIMULATION'
  | 'SNAPSHOT';

export interface ProviderCard {
  /** Global id, `prov_openai`. */
  readonly id: string;
  /** Short name, `openai`. */
  readonly key: string;
  /** Name for people. */
  readonly name: string;
  readonly kind: 'OPENAI' | 'ANTHROPIC' | 'GEMINI' | 'OPENAI_COMPATIBLE' | 'MOCK';
  readonly isEnabled: boolean;
  readonly breaker: Breaker;
  readonly rateLimit: RateLimit;
  /** Null: it answers as it would. */
  readonly simulation: Simulation | null;
  readonly models: readonly string[];
  /** Over the window. Null before the first tick, or where ticks are refused. */
  readonly numbers: Numbers | null;
  /** Of all attempts in the window, the share that went to this one; null without any. */
  readonly trafficShare: number | null;
  /** Of its attempts in the window, the share that failed; null without any. */
  readonly errorShare: number | null;
}

export interface Breaker {
  readonly state: BreakerState;
  readonly epoch: number;
  readonly consecutiveFailures: number;
  readonly failureThreshold: number;
  readonly cooldownMs: number;
  /** Null: never. */
  readonly openedAtMs: number | null;
  /** Null: it is not open. */
  readonly nextProbeAtMs: number | null;
  readonly changedAtMs: number;
  /** Why it is as it is: the newest change. Null: it never changed, as far as is known here. */
  readonly lastChange: BreakerChange | null;
  /** Newest first, at most `LIMITS.breakerHistoryMax`. */
  readonly history: readonly BreakerChange[];
}

export interface BreakerChange {
  readonly id: string;
  readonly epoch: number;
  readonly from: BreakerState | null;
  readonly to: BreakerState;
  readonly cause: BreakerCause;
  /** A sentence for people. */
  readonly message: string;
  readonly consecutiveFailures: number;
  readonly atMs: number;
}

export interface RateLimit {
  readonly limit: number;
  readonly used: number;
  readonly windowMs: number;
  /** Null: one more is possible now. */
  readonly nextAvailableAtMs: number | null;
}

export const FAILURE_MODES = ['ERROR', 'TIMEOUT', 'RATE_LIMIT', 'MALFORMED', 'DISCONNECT', 'SLOW'] as const;
export type FailureMode = (typeof FAILURE_MODES)[number];

export interface Simulation {
  readonly mode: FailureMode;
  /** Share of its calls that fail. */
  readonly rate: number;
  readonly endsAtMs: number;
  readonly failuresInjected: number;
}

// ── Decisions ──

export type RequestStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'REFUSED' | 'CANCELLED';
export type Category = 'CODE' | 'WRITING' | 'ANALYSIS' | 'GENERAL';

export type AttemptOutcome =
  | 'SUCCEEDED'
  | 'PROVIDER_ERROR'
  | 'RATE_LIMITED'
  | 'TIMED_OUT'
  | 'NETWORK_ERROR'
  | 'REJECTED'
  | 'INVALID_RESPONSE'
  | 'CANCELLED';

export interface Decision {
  readonly id: string;
  readonly atMs: number;
  readonly status: RequestStatus;
  readonly door: 'GRAPHQL' | 'REST';
  /** Null: nobody in particular. */
  readonly userId: string | null;
  /** Null where nothing was routed. */
  readonly category: Category | null;
  readonly modelRequested: string;
  /** The calls made so far, in order. */
  readonly path: readonly PathStep[];
  /** Null: nobody, or not yet. */
  readonly answeredBy: { readonly provider: string; readonly model: string } | null;
  /** Null while it runs. */
  readonly costUsd: string | null;
  /** Null while it runs. */
  readonly totalMs: number | null;
  /** Null where it was not streamed. */
  readonly timeToFirstTokenMs: number | null;
  /** Why it went where it went, in a sentence. Null where nothing was routed. */
  readonly summary: string | null;
  readonly error: Fault | null;
}

export interface PathStep {
  /** The provider's key. */
  readonly provider: string;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
}

export interface Fault {
  readonly code: string;
  readonly message: string;
}

export interface Selected {
  readonly id: string;
  readonly detail: 'loading' | 'gone' | Refused | DecisionDetail;
}

export interface Refused {
  readonly kind: 'refused';
  readonly why: string;
}

/** The why of a decision, enough to check it by hand. */
export interface DecisionDetail {
  readonly kind: 'detail';
  readonly decision: Decision;
  /** Null where nothing was routed. */
  readonly routing: Routing | null;
  readonly tokens: { readonly input: number; readonly output: number } | null;
  /** What was held while it ran. */
  readonly reservedUsd: string | null;
  /** Milliseconds with fraction. */
  readonly overheadMs: number | null;
  /** W3C trace id. */
  readonly traceId: string | null;
}

export interface Routing {
  readonly summary: string;
  readonly policy: string;
  readonly category: Category;
  /** 0 to 1. */
  readonly confidence: number;
  readonly signals: readonly string[];
  /** Best first, refused ones last. */
  readonly candidates: readonly Candidate[];
  readonly attempts: readonly AttemptDetail[];
}

export interface Candidate {
  /** The provider's key. */
  readonly provider: string;
  readonly model: string;
  /** 1 is best; null when refused. */
  readonly rank: number | null;
  /** Null when refused. */
  readonly score: number | null;
  readonly terms: readonly { readonly name: string; readonly value: number; readonly weight: number }[];
  /** Null when eligible. */
  readonly rejection: { readonly reason: string; readonly detail: string } | null;
  readonly estimatedCostUsd: string | null;
  readonly estimatedLatencyMs: number | null;
}

export interface AttemptDetail extends PathStep {
  readonly number: number;
  readonly model: string;
  readonly costUsd: string;
  readonly httpStatus: number | null;
  readonly errorMessage: string | null;
  readonly isCountedByBreaker: boolean;
}

// ── Budgets ──

export interface BudgetRow {
  readonly id: string;
  readonly level: 'USER' | 'KEY' | 'TEAM';
  /** The id of the user, of the key, or of the team. */
  readonly owner: string;
  readonly limitUsd: string;
  readonly spentUsd: string;
  /** Held for requests that run. */
  readonly reservedUsd: string;
  readonly remainingUsd: string;
  /** Spent and reserved as a share of the limit. */
  readonly utilization: number;
  readonly status: 'OK' | 'WARNING' | 'EXHAUSTED';
  readonly period: 'TOTAL' | 'DAILY' | 'WEEKLY' | 'MONTHLY';
  /** Null: it never starts again. */
  readonly resetsAtMs: number | null;
}

// ── Try it ──

export interface TryIt {
  readonly prompt: string;
  /** Null: the prompt is empty, or nothing came yet. */
  readonly preview: Preview | null;
  /** The preview is of an older prompt. */
  readonly isPreviewStale: boolean;
  readonly answer: Answer;
}

export type Preview =
  | {
      readonly kind: 'routed';
      readonly summary: string;
      /** Who would answer; null: nobody. */
      readonly selected: Candidate | null;
      readonly routing: Routing;
      readonly inputTokens: number;
      /** What would be held from the budget. */
      readonly reservationUsd: string;
      /** Why it would be refused; null: it would not. */
      readonly blockedBy: Fault | null;
    }
  | { readonly kind: 'refused'; readonly why: string };

export type Answer =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'streaming';
      /** Null until it was routed. */
      readonly requestId: string | null;
      readonly text: string;
      /** Who is answering, as far as is known. */
      readonly provider: string | null;
      readonly path: readonly PathStep[];
    }
  | {
      readonly kind: 'done';
      readonly requestId: string;
      readonly text: string;
      readonly provider: string;
      readonly model: string;
      readonly costUsd: string;
      readonly totalMs: number;
      readonly summary: string;
      readonly path: readonly PathStep[];
    }
  | {
      readonly kind: 'failed';
      readonly requestId: string | null;
      /** What came before the failure. */
      readonly text: string;
      readonly error: Fault;
      readonly costUsd: string | null;
    };

// ── What came of what the user did ──

export interface Notice {
  readonly id: number;
  readonly tone: 'done' | 'failed';
  readonly text: string;
  /** Of a failure; null when it went well. */
  readonly code: string | null;
}
