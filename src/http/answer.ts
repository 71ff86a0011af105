import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';

/** Codes of errors that this door finds before GraphQL is reached. */
export const HTTP_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BODY_TOO_LARGE',
  'BAD_REQUEST',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'UNSUPPORTED_MEDIA_TYPE',
  'NOT_ACCEPTABLE',
  'MISDIRECTED',
  'SHUTTING_DOWN',
  'OVERLOADED',
  'STORE_UNAVAILABLE',
  'INTERNAL',
] as const;

export type HttpCode = (typeof HTTP_CODES)[number];

/** An error in the shape that GraphQL clients read. */
export interface DoorFault {
  readonly status: number;
  readonly code: HttpCode;
  readonly message: string;
  /** When the same request may be sent again. Absent: it may not, or somebody else says. */
  readonly retryAfterMs?: number;
}

/** The part of an error that programs read. */
export function extensionsOf({ code, retryAfterMs }: DoorFault) {
  return retryAfterMs === undefined ? { code } : { code, retryable: true, retryAfterMs };
}

/** The same fault, found when GraphQL was reached already. */
export function errorOf(fault: DoorFault): GraphQLError {
  const { status, message, retryAfterMs } = fault;
  const headers = retryAfterMs === undefined ? {} : { 'retry-after': secondsOf(retryAfterMs) };
  return new GraphQLError(message, { extensions: { ...extensionsOf(fault), http: { status, headers } } });
}

/** For the header `retry-after`, which knows whole seconds only. */
export function secondsOf(retryAfterMs: number): string {
  return String(Math.ceil(retryAfterMs / 1000));
}

export const JSON_TYPE = 'application/json; charset=utf-8';

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, `${JSON.stringify(body)}\n`);
}

/** Sends JSON that is already text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  sendBody(response, { status, contentType: JSON_TYPE, text });
}

interface Body {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Sends a whole answer that nobody may keep. */
export function sendBody(response: ServerResponse, body: Body): void {
  response.end(beginBody(response, body));
}

/** Sends the headers of such an answer, and answers the bytes that belong after them. */
export function beginBody(response: ServerResponse, { status, contentType, text }: Body): Buffer {
  const bytes = Buffer.from(text);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  return bytes;
}

/** How the clients of a door read its faults. */
export interface FaultForm {
  textOf(fault: DoorFault): string;
  headersOf(fault: DoorFault): Readonly<Record<string, string>>;
}

export const GRAPHQL_FORM: FaultForm = {
  textOf: (fault) => `${JSON.stringify({ errors: [{ message: fault.message, extensions: extensionsOf(fault) }] })}\n`,
  headersOf: ({ retryAfterMs }) => (retryAfterMs === undefined ? {} : { 'retry-after': secondsOf(retryAfterMs) }),
};

/** The headers of a fault, in whichever form: who was not recognised is told how to be (RFC 6750). */
export function faultHeadersOf(fault: DoorFault, form: FaultForm): Readonly<Record<string, string>> {
  return { ...form.headersOf(fault), ...(fault.status === 401 ? { 'www-authenticate': 'Bearer' } : {}) };
}

export function sendFault(response: ServerResponse, fault: DoorFault, form: FaultForm = GRAPHQL_FORM): void {
  for (const [name, value] of Object.entries(faultHeadersOf(fault, form))) response.setHeader(name, value);
  sendText(response, fault.status, form.textOf(fault));
}

export function sendMethodNotAllowed(response: ServerResponse, allowed: string, form: FaultForm = GRAPHQL_FORM): void {
  response.setHeader('allow', allowed);
  sendFault(response, { status: 405, code: 'METHOD_NOT_ALLOWED', message: `Use ${allowed} here.` }, form);
}

export const SHUTTING_DOWN: DoorFault = {
  status: 503,
  code: 'SHUTTING_DOWN',
  message: 'This replica is shutting down. Send it again.',
  retryAfterMs: 1_000,
};

/** True for a browser that opens a page, and not for a program. */
export function wantsHtml(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/html') ?? false;
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** The status that a caller was told. 0: it left before there was one. */
export function statusOf(response: ServerResponse): number {
  return response.headersSent ? response.statusCode : 0;
}
