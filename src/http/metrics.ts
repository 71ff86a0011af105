import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exposition } from '../ports/meters.ts';
import { sendBody, sendFault, sendMethodNotAllowed } from './answer.ts';
import { type Doorkeeper, forbidden } from './authenticate.ts';

export const METRICS_PATH = '/metrics';

/** Hands all meters to whoever collects them, at any time: also while the service is not ready, or shuts down. */
export interface MetricsDoor {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function makeMetricsDoor(deps: { readonly metrics: Exposition; readonly doorkeeper: Doorkeeper }): MetricsDoor {
  const { metrics, doorkeeper } = deps;
  return {
    async answer(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return sendMethodNotAllowed(response, 'GET, HEAD');
      const admission = await doorkeeper.admit(request.headers.authorization);
      if (admission.kind === 'refused') return sendFault(response, admission.fault);
      const fault = forbidden(admission.caller, 'metrics:read');
      if (fault !== null) return sendFault(response, fault);
      sendBody(response, { status: 200, contentType: metrics.contentType, text: await metrics.read() });
    },
  };
}
