import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestId } from '../../core/ids.ts';
import type { ChatOutcome } from '../../core/outcome.ts';
import { traceOf } from '../../core/trace-of.ts';
import type { Caller } from '../../gateway/caller.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requestGlobalId } from '../../graphql/global-id.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { OperationSpan } from '../../ports/traces.ts';
import { beginBody, JSON_TYPE, statusOf } from '../answer.ts';
import { logOperation, type Operation, type OperationNote } from '../operation.ts';
import { sendAll } from '../outgoing.ts';
import { clientRequestIdOf } from '../request-id.ts';
import { EXPOSED_HEADERS, type Headers, limitHeadersOf, outcomeHeadersOf, WISH_HEADERS } from './answer-headers.ts';
import { clientRetryOf } from './client-retry.ts';
import { explanationOf } from './explanation.ts';
import { errorHeadersOf, errorObjectOf, type RestError } from './rest-error.ts';

/** One request at this door: who waits for what, and what its log line will say. */
export interface Visit extends Pick<Operation, 'log' | 'note' | 'startedAtMs' | 'signal' | 'requestId' | 'span'> {
  readonly clock: Clock;
  readonly caller: Caller;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The caller wants to be told the whole decision. */
  readonly isExplained: boolean;
  /** Headers that every answer has, whatever it is: what stands in them is what is known when they are sent. */
  headers(): Headers;
}

export function makeVisit(of: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: RequestId;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
  readonly gateway: Pick<Gateway, 'limitsSeen'>;
  readonly span: OperationSpan;
}): Visit {
  const { request, response, requestId, caller, signal, clock, span } = of;
  return {
    clock,
    caller,
    request,
    response,
    requestId,
    signal,
    isExplained: request.headers[WISH_HEADERS.metadata] === 'enabled',
    headers: () => ({ ...EXPOSED_HEADERS, ...limitHeadersOf(of.gateway.limitsSeen(caller)) }),
    span,
    log: of.log.with({ requestId: requestGlobalId(requestId), ...traceOf(span) }),
    note: { name: null, kind: null, isPaid: false, cost: null, errorCount: 0 },
    startedAtMs: clock.elapsedMs(),
  };
}

/** Remembers what is wanted, in the words of the other door, so that one search of the log finds both. */
export function noteWish({ note }: Visit, wish: Pick<OperationNote, 'name' | 'kind' | 'isPaid'>): void {
  note.name = wish.name;
  note.kind = wish.kind;
  note.isPaid = wish.isPaid;
}

/** Sends a whole answer, and waits until it is out. */
export async function sendWhole(
  visit: Visit,
  answer: { readonly status: number; readonly headers: Headers; readonly body: object },
): Promise<void> {
  const { response, clock } = visit;
  response.statusCode = answer.status;
  // The caller left in the meantime: nothing that is written now would ever be said to have gone out.
  if (response.closed) return;
  for (const [name, value] of Object.entries({ ...visit.headers(), ...answer.headers }))
    response.setHeader(name, value);
  const { status } = answer;
  const bytes = beginBody(response, { status, contentType: JSON_TYPE, text: `${JSON.stringify(answer.body)}\n` });
  return sendAll(response, bytes, clock);
}

/** `outcome` is null when no request was recorded. */
export function sendError(visit: Visit, error: RestError, outcome: ChatOutcome | null = null): Promise<void> {
  visit.note.errorCount += 1;
  return sendWhole(visit, {
    status: error.status,
    headers: { ...(outcome === null ? {} : outcomeHeadersOf(outcome)), ...errorHeadersOf(error) },
    body: { error: errorObjectOf(error), ...explained(visit, outcome) },
  });
}

/** What is added for a caller who wants to be told the whole decision. */
export function explained({ isExplained, requestId }: Visit, outcome: ChatOutcome | null): object {
  return isExplained && outcome !== null ? { gateway: explanationOf(outcome, requestId) } : {};
}

export function logVisit(visit: Visit): void {
  const { request, response, clock } = visit;
  const clientRequestId = clientRequestIdOf(request);
  const clientRetry = clientRetryOf(request);
  logOperation(visit, clock, {
    door: 'rest',
    status: statusOf(response),
    ...(clientRequestId === null ? {} : { clientRequestId }),
    ...(clientRetry > 0 ? { clientRetry } : {}),
  });
}
