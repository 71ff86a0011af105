import type { IncomingMessage } from 'node:http';

const CLIENT_ID = /^[\w.:/+=@-]{1,128}$/;

/** The caller's own trace, as it says. Undefined: it says nothing. */
export function traceparentOf(request: IncomingMessage): string | undefined {
  const named = request.headers.traceparent;
  return typeof named === 'string' ? named : undefined;
}

/** The caller's own name for a request, for the log. Null when there is none, or none that is safe to write down. */
export function clientRequestIdOf(request: IncomingMessage): string | null {
  const named = request.headers['x-request-id'];
  return typeof named === 'string' && CLIENT_ID.test(named) ? named : null;
}
