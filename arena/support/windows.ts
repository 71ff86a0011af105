/** Most instants that lie within one window, both ends included. The instants must be sorted. */
export function worstWindow(atMs: readonly number[], windowMs: number): number {
  let worst = 0;
  let first = 0;
  atMs.forEach((instant, last) => {
    while ((atMs[first] ?? instant) < instant - windowMs) first += 1;
    worst = Math.max(worst, last - first + 1);
  });
  return worst;
}

/** The share of the slots' time, between two instants, in which they were taken. */
export function occupancyOf(
  takenAtMs: readonly number[],
  of: { readonly keptMs: number; readonly limit: number; readonly fromMs: number; readonly toMs: number },
): number {
  const { keptMs, limit, fromMs, toMs } = of;
  const takenMs = takenAtMs.reduce((sum, instant) => {
    const spanMs = Math.min(instant + keptMs, toMs) - Math.max(instant, fromMs);
    return sum + Math.max(0, spanMs);
  }, 0);
  return takenMs / (limit * (toMs - fromMs));
}
