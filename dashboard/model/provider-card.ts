import type { AttemptOutcome } from './decision.ts';
import type { Numbers } from './numbers.ts';

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
  /** The gateway's one word. `DISABLED` of one that is enabled: it refused our credentials, and is set aside for a while. */
  readonly health: 'HEALTHY' | 'DEGRADED' | 'DOWN' | 'DISABLED';
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
  /** The newest attempt that failed, of those decisions that are known here. Null: none. */
  readonly lastFailure: LastFailure | null;
}

export interface LastFailure {
  readonly atMs: number;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
  /** What the provider said, with secrets removed; null when it said nothing. */
  readonly message: string | null;
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
