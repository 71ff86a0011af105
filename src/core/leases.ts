/** How much longer than its attempt a lease lasts: the probe's as the breaker's design says, the hold's so that a slow settle still finds it. */
export const LEASE = { probeGraceMs: 5_000, holdGraceMs: 30_000 } as const;
