import type { IncomingMessage } from 'node:http';

/** The best compression that a browser takes, of those that pages are kept in. Null: none of them. */
export function acceptedEncoding({ headers }: IncomingMessage): 'br' | 'gzip' | null {
  const accepted = headers['accept-encoding'] ?? '';
  if (/\bbr\b/.test(accepted)) return 'br';
  return /\bgzip\b/.test(accepted) ? 'gzip' : null;
}
