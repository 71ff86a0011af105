import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestId } from '../core/ids.ts';
import type { Caller } from '../gateway/caller.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Traces } from '../ports/traces.ts';
import { sendFault, statusOf } from './answer.ts';
import { keyIdOf } from './authenticate.ts';
import { readBody, refuseBody } from './body.ts';
import type { Callers } from './callers.ts';
import type { InFlight } from './in-flight.ts';
import { logOperation, makeOperation, type Operation } from './operation.ts';
import { sendAll, whenDrained } from './outgoing.ts';
import { clientRequestIdOf, traceparentOf } from './request-id.ts';
import type { GraphqlServer } from './yoga.ts';

/** GraphQL over HTTP, with server-sent events for subscriptions. */
export interface GraphqlDoor {
  answer(request: IncomingMessage, response: ServerResponse, arrival: Arrival): Promise<void>;
  /** Cuts all subscriptions: their clients come back to another replica, and resume there. */
  cutStreams(): void;
}

/** Who comes with a request, and under which id. */
export interface Arrival {
  readonly requestId: RequestId;
  readonly caller: Caller;
}

interface DoorDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  readonly yoga: GraphqlServer;
  readonly inFlight: InFlight;
  readonly callers: Callers;
  readonly traces: Traces;
  readonly isLeaving: () => boolean;
  readonly isDraining: () => boolean;
}

export function makeGraphqlDoor(deps: DoorDeps): GraphqlDoor {
  const streams = new Set<ServerResponse>();

  const answer = async (request: IncomingMessage, response: ServerResponse, arrival: Arrival): Promise<void> => {
    // Before the body: a key may end while it comes.
    using waiting = deps.callers.waitingFor(response, keyIdOf(arrival.caller));
    const body = request.method === 'POST' ? await readBody(request) : null;
    if (body?.kind === 'gone') return;
    if (body?.kind === 'refused') return refuseBody(request, response, body.fault, deps);
    const name = request.method === 'GET' ? 'GET /graphql' : 'POST /graphql';
    const span = deps.traces.operation(name, traceparentOf(request));
    const operation = makeOperation({ ...deps, ...arrival, signal: waiting.signal, span });
    try {
      const answered = await ask(deps.yoga, request, body?.text ?? null, operation);
      if (operation.note.kind === 'subscription' && !operation.note.isPaid) {
        streams.add(response);
        if (deps.isDraining()) response.destroy();
      }
      if (deps.isLeaving()) response.setHeader('connection', 'close');
      await pass(answered, response, deps.clock);
    } finally {
      streams.delete(response);
      // A subscription's source knows no other end.
      if (operation.note.kind === 'subscription') waiting.abort();
      const clientRequestId = clientRequestIdOf(request);
      logOperation(operation, deps.clock, {
        door: 'http',
        status: statusOf(response),
        ...(clientRequestId === null ? {} : { clientRequestId }),
      });
    }
  };

  return {
    answer: (request, response, arrival) => deps.inFlight.run(() => answer(request, response, arrival)),
    cutStreams() {
      for (const response of streams) response.destroy();
    },
  };
}

/** The caller's leaving is told by the operation's own signal, so that an answer under way is always finished and settled. */
async function ask(
  yoga: GraphqlServer,
  request: IncomingMessage,
  body: string | null,
  operation: Operation,
): Promise<Response> {
  const { Request } = yoga.fetchAPI;
  const headers = new yoga.fetchAPI.Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(':'))
      headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const method = request.method ?? 'GET';
  const url = `http://localhost${request.url ?? '/'}`;
  return yoga.fetch(new Request(url, { method, headers, ...(body === null ? {} : { body }) }), operation);
}

/** Writes an answer out: whole when it is whole, piece by piece when it is a stream. */
async function pass(answered: Response, response: ServerResponse, clock: Clock): Promise<void> {
  // The caller left in the meantime: nothing that is written now would ever be said to have gone out.
  if (response.closed) return answered.body?.cancel();
  for (const [name, value] of answered.headers) if (name !== 'connection') response.setHeader(name, value);
  response.statusCode = answered.status;
  const type = answered.headers.get('content-type') ?? '';
  const isStream = type.startsWith('text/event-stream') || type.startsWith('multipart/');
  if (isStream && answered.body !== null) return passStream(answered.body, response, clock);
  const text = await answered.text();
  if (text === '' && answered.status >= 400) return sendUnnamed(answered.status, response);
  const bytes = Buffer.from(text);
  response.setHeader('content-length', bytes.length);
  return sendAll(response, bytes, clock);
}

async function passStream(body: ReadableStream<Uint8Array>, response: ServerResponse, clock: Clock): Promise<void> {
  const reader = body.getReader();
  response.flushHeaders();
  // Not waited for: while nothing happens it waits for the next event, and the caller's leaving does not wake it.
  write(reader, response, clock).catch(() => response.destroy());
  await new Promise((resolve) => response.once('close', resolve));
  reader.cancel().catch(() => undefined);
}

async function write(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  response: ServerResponse,
  clock: Clock,
): Promise<void> {
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    if (!response.write(piece.value)) await whenDrained(response, clock);
  }
  response.end();
}

/** A refusal without a body says nothing: Yoga sends such a one when the caller accepts nothing that it has. */
function sendUnnamed(status: number, response: ServerResponse): void {
  const message =
    'Nothing that you accept is served here. Send "accept: application/graphql-response+json", or leave the header out.';
  sendFault(response, { status, code: status === 406 ? 'NOT_ACCEPTABLE' : 'BAD_REQUEST', message });
}
