/**
 * How long what an attempt took stays its own. The probe's lease is a little longer than its attempt, as the breaker's rules
 * say. A hold is leased for at most `holdMsMax` and renewed while its attempt is under way, so that what a dead replica held
 * is resolved soon; the grace lets a slow settle still find it.
 */
export const LEASE = { probeGraceMs: 5_000, holdMsMax: 60_000, holdGraceMs: 30_000, renewEveryMs: 15_000 } as const;

/** Lease of a probe whose attempt may take `attemptMs`. */
export function probeLeaseMs(attemptMs: number): number {
  return attemptMs + LEASE.probeGraceMs;
}

/** First lease of a hold whose attempt may take `attemptMs`. */
export function holdLeaseMs(attemptMs: number): number {
  return Math.min(attemptMs, LEASE.holdMsMax) + LEASE.holdGraceMs;
}
