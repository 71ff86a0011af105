import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DoorFault, wantsHtml } from './answer.ts';

/** How long a browser may remember what it was told, in seconds. */
const PREFLIGHT_S = 600;

/** What programs in web pages of other origins may do here. Nothing, unless the operator named the origin. */
export interface Origins {
  /** Whether the page that asks may. Programs that are no browsers name none, and may. */
  mayCall(request: IncomingMessage): boolean;
  /** Tells a browser whether its page may read the answer. True: that was all it asked for, and it is answered. */
  greet(request: IncomingMessage, response: ServerResponse): boolean;
}

export const FOREIGN_PAGE: DoorFault = {
  status: 403,
  code: 'FORBIDDEN',
  message:
    'Web pages of other origins may not call this service. For operators: put the origin of the page into ALLOWED_ORIGINS.',
};

/** Somebody follows a link, and is shown a page: nothing is run by that. */
export function isOpeningPage(request: IncomingMessage): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': target } = request.headers;
  return request.method === 'GET' && mode === 'navigate' && target === 'document' && wantsHtml(request);
}

export function makeOrigins(allowed: readonly string[]): Origins {
  const isNamed = (origin: string) => allowed.includes(origin);
  return {
    mayCall({ headers }) {
      const { origin, host } = headers;
      // Pictures and links of a page come without their origin.
      if (origin === undefined) return headers['sec-fetch-site'] !== 'cross-site';
      if (isNamed(origin)) return true;
      const page = URL.parse(origin);
      return page !== null && page.host !== '' && page.host === URL.parse(`${page.protocol}//${host}`)?.host;
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
