import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exposition } from '../ports/meters.ts';
import { sendBody, sendMethodNotAllowed } from './answer.ts';

export const METRICS_PATH = '/metrics';

/** Hands all meters to whoever collects them, at any time: also while the service is not ready, or shuts down. */
export async function answerMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Exposition,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return sendMethodNotAllowed(response, 'GET, HEAD');
  sendBody(response, { status: 200, contentType: metrics.contentType, text: await metrics.read() });
}
