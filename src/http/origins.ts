import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a browser may remember what it was told, in seconds. */
const PREFLIGHT_S = 600;

/** What programs in web pages of other origins may do here. Nothing, unless the operator named the origin. */
export interface Origins {
  /** Whether a connection may come from this page. Programs that are no browsers name none, and may. */
  mayConnect(request: IncomingMessage): boolean;
  /** Tells a browser whether its page may read the answer. True: that was all it asked for, and it is answered. */
  greet(request: IncomingMessage, response: ServerResponse): boolean;
}

export function makeOrigins(allowed: readonly string[]): Origins {
  const isNamed = (origin: string) => allowed.includes(origin);
  return {
    mayConnect({ headers: { origin, host } }) {
      if (origin === undefined || isNamed(origin)) return true;
      return URL.canParse(origin) && new URL(origin).host === host;
    },
    greet(request, response) {
      if (allowed.length === 0) return false;
      response.setHeader('vary', 'origin');
      const { origin } = request.headers;
      if (origin === undefined || !isNamed(origin)) return false;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', 'x-request-id, retry-after');
      if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
      response.writeHead(204, {
        'access-control-allow-methods': 'GET, POST',
        // Browsers want this one by name; the star stands for all the others, and says nothing of cookies.
        'access-control-allow-headers': 'authorization, *',
        'access-control-max-age': String(PREFLIGHT_S),
      });
      response.end();
      return true;
    },
  };
}
