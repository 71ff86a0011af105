import type { ModelSpec } from './registry.ts';

/** Kept back from every attempt, so that its end can still be settled and told in time: a tenth of the limit, at most this. */
const RESERVE_MS_MAX = 500;

/** Timers may fire a little early: this close to the end counts as the end. */
const SLACK_MS = 5;

/** The time of one request: all attempts share it. Instants are of the process's monotonic clock, in ms. */
export interface Deadline {
  readonly startedAtMs: number;
  readonly timeoutMs: number;
}

export function remainingMs(deadline: Deadline, elapsedMs: number): number {
  return deadline.timeoutMs - (elapsedMs - deadline.startedAtMs);
}

/** True when no further attempt makes sense. */
export function isOutOfTime(deadline: Deadline, elapsedMs: number): boolean {
  return remainingMs(deadline, elapsedMs) <= reserveMs(deadline) + SLACK_MS;
}

/** How long the next attempt may take: all that remains when it is the last one, otherwise at most half of the whole, so that a provider that hangs leaves time for another. */
export function attemptMs(deadline: Deadline, elapsedMs: number, isLast: boolean): number {
  const leftMs = remainingMs(deadline, elapsedMs) - reserveMs(deadline);
  return Math.max(1, Math.floor(isLast ? leftMs : Math.min(leftMs, deadline.timeoutMs / 2)));
}

/** How long an attempt may take once its answer has begun to come: all that remains, since no other can take its place any more. */
export function begunAttemptMs(deadline: Deadline, elapsedMs: number): number {
  return attemptMs(deadline, elapsedMs, true);
}

/** An attempt that had this many times the model's expected latency, or this long, was given a fair chance to answer. */
const FAIR = { latencies: 3, msMax: 5_000 } as const;

/**
 * The least an attempt must have had, in ms, before its running out of time says something of the provider. A caller in a hurry
 * says nothing of it: otherwise anybody could open a breaker for everybody with a `timeoutMs` that no model can meet.
 */
export function fairAttemptMs(model: Pick<ModelSpec, 'typicalLatencyMs'>): number {
  return Math.min(FAIR.msMax, FAIR.latencies * model.typicalLatencyMs);
}

function reserveMs(deadline: Deadline): number {
  return Math.min(RESERVE_MS_MAX, deadline.timeoutMs / 10);
}
