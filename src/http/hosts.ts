import type { IncomingMessage } from 'node:http';
import type { DoorFault } from './answer.ts';

/**
 * Which names the service answers to. To a browser a page is of the same origin as whatever its name leads to, and whoever owns
 * the name may let it lead to this machine: what asks for no key must not believe every name.
 */
export interface Hosts {
  /** Null: this service was meant, by somebody on its own machine wherever no keys are needed. */
  faultOf(request: IncomingMessage): DoorFault | null;
}

/** What proxies add. Behind one everybody seems to be on this machine. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const;

const PROXIED: DoorFault = {
  status: 421,
  code: 'MISDIRECTED',
  message:
    'This came through a proxy, and without keys this service serves only its own machine: everybody whom the proxy lets in could spend its money. For operators: start the service with AUTH=keys.',
};

const MISNAMED: DoorFault = {
  status: 421,
  code: 'MISDIRECTED',
  message:
    'Without keys this service answers only to the names of its own machine, and the header Host has another. Call it as localhost or 127.0.0.1; for operators: put the origin of the other into ALLOWED_ORIGINS, or start the service with AUTH=keys.',
};

export function makeHosts(of: { readonly auth: 'off' | 'keys'; readonly allowedOrigins: readonly string[] }): Hosts {
  const allowed = of.allowedOrigins.map((origin) => new URL(origin).hostname);
  return {
    // A page cannot send a key that its visitor has elsewhere: where keys are needed names are no danger.
    faultOf({ headers }) {
      if (of.auth === 'keys') return null;
      if (PROXY_HEADERS.some((header) => headers[header] !== undefined)) return PROXIED;
      const name = nameIn(headers.host ?? '');
      return name !== null && (isLoopback(name) || allowed.includes(name)) ? null : MISNAMED;
    },
  };
}

/** As browsers write it, without the port. Null: it is no name. */
function nameIn(host: string): string | null {
  const url = URL.parse(`http://${host}`);
  return url !== null && url.href === `http://${url.host}/` ? url.hostname : null;
}

/** Names that lead to this machine, whoever is asked (RFC 6761), and its addresses. HOST is one of them wherever no keys are needed. */
function isLoopback(name: string): boolean {
  const isLocal = /(^|\.)localhost\.?$/.test(name);
  return isLocal || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}
