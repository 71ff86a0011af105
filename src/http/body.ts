import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../ports/clock.ts';
import { type DoorFault, type FaultForm, faultHeadersOf, GRAPHQL_FORM, sendFault } from './answer.ts';

/** How much is read of a request, and how long a refused caller may go on sending before the connection is closed. */
export const BODY_LIMITS = { bytesMax: 1_000_000, lingerMs: 2_000, lingerBytesMax: 16_000_000 } as const;

export type ReadBody =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'refused'; readonly fault: DoorFault }
  /** The caller hung up in the middle. */
  | { readonly kind: 'gone' };

const TOO_LARGE: DoorFault = {
  status: 413,
  code: 'BODY_TOO_LARGE',
  message: `The request body may have at most ${BODY_LIMITS.bytesMax} bytes. Send a shorter one, and images as https URLs.`,
};

/** Whether the caller announces more than is taken: then nothing needs to be read. */
export function announcesTooMuch(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > BODY_LIMITS.bytesMax;
}

/** Reads the whole body as text, or says why not. Never more than the limit is kept. */
export async function readBody(request: IncomingMessage): Promise<ReadBody> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    return refused({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'Send the body without a content-encoding.',
    });
  }
  if (announcesTooMuch(request)) return refused(TOO_LARGE);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Leaving the loop early must not close the connection: the answer still has to go out.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > BODY_LIMITS.bytesMax) return refused(TOO_LARGE);
      chunks.push(chunk);
    }
  } catch {
    // The only thing that ends a request's stream with an error is its connection.
    return { kind: 'gone' };
  }
  const whole = Buffer.concat(chunks, bytes);
  if (!isUtf8(whole)) return refused({ status: 400, code: 'BAD_REQUEST', message: 'The request body is not UTF-8.' });
  return { kind: 'read', text: whole.toString() };
}

/** What a refusal is made with. */
interface Refusing {
  readonly clock: Clock;
  /** Absent: as GraphQL clients read it. */
  readonly form?: FaultForm | undefined;
}

/**
 * Answers a caller who is still sending, and closes the connection. Closing at once would reset it, and many clients would then
 * never read the answer: so the rest is read and thrown away for a moment.
 */
export function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  fault: DoorFault,
  { clock, form = GRAPHQL_FORM }: Refusing,
): void {
  const body = Buffer.from(form.textOf(fault));
  response.writeHead(fault.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    connection: 'close',
    ...faultHeadersOf(fault, form),
  });
  response.write(body);
  const timer = clock.after(BODY_LIMITS.lingerMs, () => request.destroy());
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BODY_LIMITS.lingerBytesMax) request.destroy();
  });
  request.once('end', () => response.end());
  request.once('close', () => timer[Symbol.dispose]());
  response.once('close', () => timer[Symbol.dispose]());
}

/**
 * Answers a caller without looking at the body. What is announced and short is thrown away when it comes, and the connection is
 * kept: to open another one would cost both sides more than the refusal. Otherwise as `refuseBody`.
 */
export function turnAway(
  request: IncomingMessage,
  response: ServerResponse,
  fault: DoorFault,
  refusing: Refusing,
): void {
  const isShort = request.headers['content-length'] !== undefined && !announcesTooMuch(request);
  if (request.method === 'GET' || isShort) sendFault(response, fault, refusing.form);
  else refuseBody(request, response, fault, refusing);
}

function refused(fault: DoorFault): ReadBody {
  return { kind: 'refused', fault };
}
