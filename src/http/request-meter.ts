import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../ports/clock.ts';
import type { Meters } from '../ports/meters.ts';
import { pathOf, statusOf } from './answer.ts';
import { METRICS_PATH } from './metrics.ts';
import { MODELS_PATH } from './rest/models-door.ts';
import { CHAT_PATH } from './rest/rest-door.ts';
import { GRAPHQL_PATH } from './yoga.ts';

export type RequestMeter = Pick<Meters, 'httpEnded'>;

/** What is measured by itself. Everything else is one route without a name: paths are the caller's words. */
const ROUTES: ReadonlySet<string> = new Set([
  '/',
  GRAPHQL_PATH,
  CHAT_PATH,
  MODELS_PATH,
  METRICS_PATH,
  '/livez',
  '/readyz',
]);

/** Measures one HTTP request until its answer is out, or its connection is closed. */
export function watchRequest(
  { meters, clock }: { readonly meters: RequestMeter; readonly clock: Clock },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const startedAtMs = clock.elapsedMs();
  response.once('close', () => {
    const path = pathOf(request);
    meters.httpEnded({
      method: request.method ?? '',
      route: ROUTES.has(path) ? path : '',
      status: statusOf(response),
      durationMs: clock.elapsedMs() - startedAtMs,
    });
  });
}
