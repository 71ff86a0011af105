import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptedEncoding } from './accepted-encoding.ts';
import { type DoorFault, pathOf, sendFault, sendMethodNotAllowed } from './answer.ts';

/** The control room as it was built: every file of it, in memory. What is not here is not served. */
export interface Page {
  /** By the path that a browser asks for; the page itself is `/`. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** What the page asks the gateway, by the ids of the documents. */
  readonly documents: ReadonlyMap<string, string>;
}

export interface PageFile {
  readonly contentType: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

/** Serves the page and its parts to browsers. */
export interface PageDoor {
  /** Whether the path is one of a part of the page. */
  isPart(path: string): boolean;
  answer(request: IncomingMessage, response: ServerResponse): void;
}

export const ASSETS_PATH = '/assets/';

/** Null: it is not built here. */
export function makePageDoor(page: Page | null): PageDoor {
  return {
    isPart: (path) => path.startsWith(ASSETS_PATH),
    answer(request, response) {
      const path = pathOf(request);
      const file = page?.files.get(path);
      if (request.method !== 'GET' && request.method !== 'HEAD') return sendMethodNotAllowed(response, 'GET, HEAD');
      if (file === undefined) return sendFault(response, page === null ? NOT_BUILT : NO_PART);
      for (const [name, value] of Object.entries(path === '/' ? PAGE_HEADERS : PART_HEADERS)) {
        response.setHeader(name, value);
      }
      response.setHeader('etag', file.etag);
      if (request.headers['if-none-match'] === file.etag) {
        response.writeHead(304).end();
        return;
      }
      send(file, request, response);
    },
  };
}

const SHARED_HEADERS = {
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

const PAGE_HEADERS = {
  ...SHARED_HEADERS,
  // Nothing but what is served here, and no script or style in the page itself. The socket is of the same origin.
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  // The same path answers programs with JSON.
  vary: 'accept, accept-encoding',
  'cache-control': 'no-cache',
} as const;

/** The names of parts have the hashes of what is in them. */
const PART_HEADERS = {
  ...SHARED_HEADERS,
  vary: 'accept-encoding',
  'cache-control': 'public, max-age=31536000, immutable',
} as const;

function send(file: PageFile, request: IncomingMessage, response: ServerResponse): void {
  const encoding = acceptedEncoding(request);
  const bytes = encoding === null ? file.plain : FORMS[encoding](file);
  if (encoding !== null) response.setHeader('content-encoding', encoding);
  // Without a length, an answer to HEAD would say nothing of it.
  response.writeHead(200, { 'content-type': file.contentType, 'content-length': bytes.length });
  response.end(bytes);
}

const FORMS = { br: ({ brotli }: PageFile) => brotli, gzip: ({ gzip }: PageFile) => gzip } as const;

const NOT_BUILT: DoorFault = {
  status: 404,
  code: 'NOT_FOUND',
  message:
    'The control room is not built here. For operators: run "npm ci && npm run build" in the checkout, and start the service again. Programs are told what is served if they do not ask for text/html.',
};

const NO_PART: DoorFault = {
  status: 404,
  code: 'NOT_FOUND',
  message: 'The page has no such part. It may be older than this gateway: load it again.',
};
