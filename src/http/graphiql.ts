import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, createGunzip, gzip } from 'node:zlib';
import { acceptedEncoding } from './accepted-encoding.ts';
import { GRAPHIQL_TABS } from './graphiql-tabs.ts';

/** The page is 9 MB of text: strong enough to save three quarters, quick enough for the first visitor to wait for. */
const COMPRESSION = { brotliQuality: 5, gzipLevel: 6 } as const;

/** GraphiQL for browsers: one page that loads nothing from anywhere else. */
export interface GraphiqlPage {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

interface Rendered {
  readonly etag: string;
  readonly policy: string;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

export function makeGraphiqlPage(auth: 'off' | 'keys'): GraphiqlPage {
  /** Made when first asked for, since most services never are; then kept, compressed, and only so. */
  let made: Promise<Rendered> | null = null;
  return {
    async answer(request, response) {
      made ??= render(auth);
      const page = await made;
      response.setHeader('content-security-policy', page.policy);
      response.setHeader('cache-control', 'no-cache');
      response.setHeader('etag', page.etag);
      response.setHeader('vary', 'accept, accept-encoding');
      if (request.headers['if-none-match'] === page.etag) {
        response.writeHead(304).end();
        return;
      }
      response.setHeader('content-type', 'text/html; charset=utf-8');
      await send(page, request, response);
    },
  };
}

async function send(page: Rendered, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const encoding = acceptedEncoding(request);
  if (encoding !== null) return sendEncoded(response, encoding, encoding === 'br' ? page.brotli : page.gzip);
  try {
    await pipeline(Readable.from([page.gzip]), createGunzip(), response);
  } catch {
    // The browser closed the page before it had it all.
    response.destroy();
  }
}

function sendEncoded(response: ServerResponse, encoding: string, bytes: Buffer): void {
  response.writeHead(200, { 'content-encoding': encoding, 'content-length': bytes.length });
  response.end(bytes);
}

async function render(auth: 'off' | 'keys'): Promise<Rendered> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const options = {
    title: 'Switchyard GraphiQL',
    defaultTabs: GRAPHIQL_TABS.map(({ query, variables }) => ({ query, variables })),
    // Live breaker events come over the socket, as any client would take them. But the page cannot say there who comes.
    subscriptionsProtocol: auth === 'off' ? 'WS' : 'SSE',
    shouldPersistHeaders: false,
  } as const;
  // Browsers hash the script as they parsed it, with plain line ends.
  const html = withFirstVariables(renderGraphiQL(options), JSON.stringify(options)).replaceAll('\r\n', '\n').trim();
  const bytes = Buffer.from(html);
  const [small, smaller] = await Promise.all([
    promisify(gzip)(bytes, { level: COMPRESSION.gzipLevel }),
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: COMPRESSION.brotliQuality } }),
  ]);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { etag, policy: policyOf(html), gzip: small, brotli: smaller };
}

/**
 * GraphiQL opens its first tab with the query it was given, and forgets the variables. They can be given apart, but not to a
 * visitor who comes back: then they would take the place of that visitor's own.
 */
function withFirstVariables(html: string, options: string): string {
  if (!html.includes(options)) throw new RangeError('GraphiQL no longer puts its options into the page as they are');
  const first = JSON.stringify({ variables: GRAPHIQL_TABS[0]?.variables });
  const isFirstVisit = "localStorage.getItem('graphiql:tabState') === null";
  return html.replace(options, () => `Object.assign(${options}, ${isFirstVisit} ? ${first} : {})`);
}

/**
 * Nothing but the page's one script may run, and nothing may be fetched from elsewhere. The script is named by its hash, which
 * unlike a nonce lets one compressed copy serve everybody. Its editor makes workers and styles of its own.
 */
function policyOf(html: string): string {
  const script = html.slice(html.indexOf('<script>') + '<script>'.length, html.lastIndexOf('</script>'));
  const hash = createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    "img-src data: 'self'",
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
