import type { LoadResult } from './load.ts';

/** Does `act` from so many callers at once, each beginning again when its last is done, for a bounded time and count. */
export async function measure(
  limits: { readonly callers: number; readonly forMs: number; readonly countMax: number },
  act: (sequence: number) => Promise<void>,
): Promise<LoadResult> {
  const times: number[] = [];
  let begun = 0;
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt >= limits.forMs || begun >= limits.countMax;
  const call = async () => {
    while (!isOver()) {
      begun += 1;
      const from = performance.now();
      await act(begun);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: limits.callers }, call));
  const seconds = (performance.now() - startedAt) / 1000;
  const sorted = times.toSorted((one, other) => one - other);
  return {
    requestsPerSecond: times.length / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
