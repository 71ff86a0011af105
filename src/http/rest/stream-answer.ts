import type { ChatOutcome, NotRun } from '../../core/outcome.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { StreamEvent } from '../../gateway/stream-log.ts';
import { requestGlobalId } from '../../graphql/global-id.ts';
import type { Clock } from '../../ports/clock.ts';
import { maskedOf } from '../mask.ts';
import { whenSent } from '../outgoing.ts';
import { REPLAYED, type RouteSoFar, routeHeadersOf } from './answer-headers.ts';
import type { AskedChat } from './chat-body.ts';
import { type ChunkHead, deltaChunkOf, errorChunkOf, finishChunkOf, usageChunkOf } from './chunk.ts';
import { warningsOf } from './completion.ts';
import { type EventStream, makeEventStream } from './event-stream.ts';
import { errorOfMasked, errorOfRefusal, type RestError } from './rest-error.ts';
import { explained, sendError, type Visit } from './visit.ts';

type Deps = { readonly gateway: Gateway; readonly clock: Clock; readonly isLeaving: () => boolean };

/** A stream on its way to its reader. */
interface Telling {
  readonly visit: Visit;
  readonly asked: AskedChat;
  readonly events: EventStream;
  head: ChunkHead;
  isFirst: boolean;
}

/** Why a stream ends without an answer. `outcome` is null when it is not known. */
interface Break {
  readonly error: RestError;
  readonly outcome: ChatOutcome | null;
}

/** Asks for a chat and tells it piece by piece, at the pace of its reader. A failure before the first piece has a status of its own. */
export async function answerStream(deps: Deps, visit: Visit, asked: AskedChat): Promise<void> {
  const { response } = visit;
  let route: RouteSoFar | null = null;
  /** It is the stream of an earlier sending with the same key. */
  let isToldAgain = false;
  using events = makeEventStream({
    response,
    clock: deps.clock,
    headersOf: () => ({
      ...visit.headers(),
      ...(route === null ? {} : routeHeadersOf(route)),
      ...(isToldAgain ? REPLAYED : {}),
      ...(deps.isLeaving() ? { connection: 'close' } : {}),
    }),
  });
  const telling: Telling = { visit, asked, events, head: firstHeadOf(deps, visit, asked), isFirst: true };
  let broken: Break | null = { error: STOPPED, outcome: null };
  try {
    for await (const piece of deps.gateway.stream(callOf(visit, asked))) {
      if ('kind' in piece) {
        broken = { error: lostOf(asked), outcome: null };
        break;
      }
      const { event } = piece;
      route = routeAfter(route, event);
      if (event.kind === 'started') isToldAgain = event.requestId !== visit.requestId;
      if (event.kind === 'ended') broken = await tellEnd(telling, event.outcome);
      else await tellEvent(telling, event, route);
    }
  } catch (error) {
    const masked = maskedOf(error, visit);
    broken = { error: errorOfMasked(masked, requestGlobalId(visit.requestId)), outcome: null };
  }
  if (broken !== null && !events.isOpen) return sendError(visit, broken.error, broken.outcome);
  if (broken !== null) await tellBreak(telling, broken);
  await events.send('[DONE]');
  if (response.closed) return;
  const sent = whenSent(response, deps.clock);
  response.end();
  return sent;
}

function callOf({ requestId, caller, signal, span }: Visit, { request }: AskedChat) {
  return { requestId, request, caller, door: 'rest', signal, span, resumeAfter: null } as const;
}

function firstHeadOf({ gateway }: Deps, { requestId }: Visit, { request, includesUsage }: AskedChat): ChunkHead {
  const created = Math.floor(gateway.now() / 1_000);
  return { id: requestGlobalId(requestId), created, model: request.model, provider: null, includesUsage };
}

/** Who answers, as far as the events tell: a request that was accepted goes to the first of its candidates. */
function routeAfter(route: RouteSoFar | null, event: StreamEvent): RouteSoFar | null {
  switch (event.kind) {
    case 'started': {
      const { candidates, summary, attempts } = event.routing;
      // One that is told again has its attempts behind it.
      const who = attempts.at(-1) ?? candidates[0];
      const answering = who === undefined ? null : { provider: who.provider, model: who.model };
      return { answering, attempts: Math.max(attempts.length, 1), summary };
    }
    case 'rerouted': {
      const { provider, model } = event;
      return route === null ? null : { ...route, answering: { provider, model }, attempts: route.attempts + 1 };
    }
    case 'delta':
    case 'ended':
      return route;
    default:
      return event satisfies never;
  }
}

async function tellEvent(
  telling: Telling,
  event: Exclude<StreamEvent, { readonly kind: 'ended' }>,
  route: RouteSoFar | null,
): Promise<void> {
  if (event.kind === 'delta') return say(telling, deltaChunkOf(telling.head, event.delta, telling.isFirst));
  const id = event.kind === 'started' ? requestGlobalId(event.requestId) : telling.head.id;
  telling.head = { ...telling.head, id, ...(route?.answering ?? {}) };
}

/** Null: it was told to its end. */
async function tellEnd(telling: Telling, outcome: ChatOutcome | NotRun): Promise<Break | null> {
  if (outcome.kind === 'notRun') return { error: errorOfRefusal(outcome.why), outcome: null };
  if (outcome.kind === 'ended') return { error: errorOfRefusal(outcome.why), outcome };
  const { provider, model } = outcome;
  const head = { ...telling.head, provider, model };
  const more = explained(telling.visit, outcome);
  const { includesUsage } = head;
  const finish = { answer: outcome.answer, isFirst: telling.isFirst, warnings: warningsOf(telling.asked, outcome) };
  await say(telling, { ...finishChunkOf(head, finish), ...(includesUsage ? {} : more) });
  if (includesUsage) await say(telling, { ...usageChunkOf(head, outcome), ...more });
  return null;
}

async function tellBreak(telling: Telling, { error, outcome }: Break): Promise<void> {
  telling.visit.note.errorCount += 1;
  await say(telling, {
    ...errorChunkOf(telling.head, { error, cost: outcome?.cost ?? null }),
    ...explained(telling.visit, outcome),
  });
}

async function say(telling: Telling, chunk: object): Promise<void> {
  telling.isFirst = false;
  await telling.events.send(JSON.stringify(chunk));
}

const BREAK = { param: null, isRetryable: false, retryAfterMs: null } as const;

/** The caller left, or this replica has to stop at once. */
const STOPPED: RestError = {
  ...BREAK,
  status: 499,
  code: 'CANCELLED',
  message: 'The stream was stopped before its answer was complete. What was begun is paid for.',
};

/** What becomes of the request when its reader is left depends on whether one can come back to it. */
function lostOf({ request }: AskedChat): RestError {
  const what = 'This stream was read so slowly that pieces of it are gone';
  const message =
    request.idempotencyKey === null
      ? `${what}, so it was stopped, unless it had ended. What was begun is paid for. With an Idempotency-Key its answer could be asked for again.`
      : `${what}, but it runs on: send it again with the same Idempotency-Key, and without stream.`;
  return { ...BREAK, status: 500, code: 'STREAM_LOST', message };
}
