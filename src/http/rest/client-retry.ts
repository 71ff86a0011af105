import type { IncomingMessage } from 'node:http';
import type { Meters } from '../../ports/meters.ts';

export type RetryMeter = Pick<Meters, 'clientRetried'>;

/** How often a client says that it has sent this before. Clients made by Stainless, such as OpenAI's, tell it. */
export function clientRetryOf(request: IncomingMessage): number {
  const count = Number(request.headers['x-stainless-retry-count'] ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

export function noteRetry(meters: RetryMeter, request: IncomingMessage): void {
  if (clientRetryOf(request) > 0) meters.clientRetried(String(request.headers['x-stainless-lang'] ?? ''));
}
