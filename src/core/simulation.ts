import type { EpochMs } from './time.ts';

export const FAILURE_MODES = ['error', 'timeout', 'rateLimit', 'malformed', 'disconnect', 'slow'] as const;

/** How a simulated provider fails. */
export type FailureMode = (typeof FAILURE_MODES)[number];

/** A failure an operator asked for. It is played where the provider would be called, so that the real breaker is exercised. */
export interface Simulation {
  readonly mode: FailureMode;
  /** Share of calls that fail, 0 to 1. */
  readonly rate: number;
  readonly endsAtMs: EpochMs;
  /** Ends after this many failed calls. Null: only by time. */
  readonly failuresMax: number | null;
  /** Added waiting time. Null: the mode's own default. */
  readonly latencyMs: number | null;
  readonly failuresInjected: number;
}

export function isInForce(simulation: Simulation, nowMs: EpochMs): boolean {
  const hasFailuresLeft = simulation.failuresMax === null || simulation.failuresInjected < simulation.failuresMax;
  return nowMs < simulation.endsAtMs && hasFailuresLeft;
}

export const SIMULATION_LIMITS = {
  durationMsMax: 86_400_000,
  failuresMaxMax: 1_000_000,
  latencyMsMax: 600_000,
} as const;
