import { Pool } from 'undici';
import { measure } from './measure.ts';

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
  try {
    return await measure(limits, async (sequence) => {
      const answer = await pool.request({
        path: target.path,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: target.body(sequence),
      });
      target.check(await answer.body.text());
    });
  } finally {
    await pool.close();
  }
}
