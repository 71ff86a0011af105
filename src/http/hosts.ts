import type { IncomingMessage } from 'node:http';
import type { DoorFault } from './answer.ts';

/**
 * Which names the service answers to. To a browser a page is of the same origin as whatever its name leads to, and whoever owns
 * the name may let it lead to this machine: what asks for no key must not believe every name.
 */
export interface Hosts {
  /** Whether this service was meant. */
  isMeant(request: IncomingMessage): boolean;
}

export const MISDIRECTED: DoorFault = {
  status: 421,
  code: 'MISDIRECTED',
  message:
    'Without keys this service answers only to the names of its own machine, and the header Host has another. Call it as localhost or 127.0.0.1; for operators: put the origin of the other into ALLOWED_ORIGINS, or start the service with AUTH=keys.',
};

export function makeHosts(of: { readonly auth: 'off' | 'keys'; readonly allowedOrigins: readonly string[] }): Hosts {
  const allowed = of.allowedOrigins.map((origin) => new URL(origin).hostname);
  return {
    // A page cannot send a key that its visitor has elsewhere: where keys are needed names are no danger.
    isMeant({ headers: { host = '' } }) {
      if (of.auth === 'keys') return true;
      const name = nameIn(host);
      return name !== null && (isLoopback(name) || allowed.includes(name));
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
