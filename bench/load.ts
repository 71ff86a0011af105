import { Pool } from 'undici';

/** What a load found. Times in milliseconds. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Target {
  readonly url: string;
  readonly path: string;
  /** A new body for each request: a caller of its own, so that no single account is the bottleneck. */
  readonly body: (sequence: number) => string;
  /** Throws when an answer is not the one wanted: a refusal is quick, and would flatter. */
  readonly check: (answer: string) => void;
}

/** Sends requests from `callers` at once, each sending the next when the last is answered, for a bounded time and count. */
export async function load(
  target: Target,
  limits: { readonly callers: number; readonly forMs: number; readonly countMax: number },
): Promise<LoadResult> {
  const pool = new Pool(target.url, { connections: limits.callers });
  const times: number[] = [];
  let sent = 0;
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt >= limits.forMs || sent >= limits.countMax;
  const call = async () => {
    while (!isOver()) {
      sent += 1;
      const from = performance.now();
      const answer = await pool.request({
        path: target.path,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: target.body(sent),
      });
      target.check(await answer.body.text());
      times.push(performance.now() - from);
    }
  };
  try {
    await Promise.all(Array.from({ length: limits.callers }, call));
  } finally {
    await pool.close();
  }
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
