import type { IncomingMessage, ServerResponse } from 'node:http';
import { availableOf } from '../../core/account.ts';
import { formatUsd } from '../../core/money.ts';
import { type Caller, mayBill } from '../../gateway/caller.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requestGlobalId } from '../../graphql/global-id.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Traces } from '../../ports/traces.ts';
import type { DoorFault } from '../answer.ts';
import { keyIdOf } from '../authenticate.ts';
import { readBody, refuseBody } from '../body.ts';
import type { Callers } from '../callers.ts';
import type { Arrival } from '../graphql-door.ts';
import type { InFlight } from '../in-flight.ts';
import type { LoadGate } from '../load-gate.ts';
import { maskedOf } from '../mask.ts';
import { traceparentOf } from '../request-id.ts';
import { answerHeadersOf, WISH_HEADERS } from './answer-headers.ts';
import { type AskedChat, parseChatBody } from './chat-body.ts';
import { noteRetry, type RetryMeter } from './client-retry.ts';
import { completionOf, warningsOf } from './completion.ts';
import { routingOf } from './explanation.ts';
import { errorObjectOf, errorOfFault, errorOfIssues, errorOfMasked, errorOfRefusal, REST_FORM } from './rest-error.ts';
import { answerStream } from './stream-answer.ts';
import { explained, logVisit, makeVisit, noteWish, sendError, sendWhole, type Visit } from './visit.ts';

export interface ChatDoorDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  readonly inFlight: InFlight;
  readonly gate: LoadGate;
  readonly callers: Callers;
  readonly isLeaving: () => boolean;
  readonly meters: RetryMeter;
  readonly traces: Traces;
}

export type ChatDoor = (request: IncomingMessage, response: ServerResponse, arrival: Arrival) => Promise<void>;

/** `POST /v1/chat/completions`: reads what is asked, asks the gateway once, and writes what came of it. */
export function makeChatDoor(deps: ChatDoorDeps): ChatDoor {
  const answer: ChatDoor = async (request, response, arrival) => {
    // Before the body: a key may end while it comes.
    using waiting = deps.callers.waitingFor(response, keyIdOf(arrival.caller));
    const body = await readBody(request);
    if (body.kind === 'gone') return;
    if (body.kind === 'refused') {
      return refuseBody(request, response, body.fault, { clock: deps.clock, form: REST_FORM });
    }
    const span = deps.traces.operation('POST /v1/chat/completions', traceparentOf(request));
    const visit = makeVisit({ ...deps, ...arrival, request, response, signal: waiting.signal, span });
    noteRetry(deps.meters, request);
    try {
      await serve(deps, visit, body.text);
    } catch (error) {
      const masked = maskedOf(error, visit);
      await sendError(visit, errorOfMasked(masked, requestGlobalId(arrival.requestId)));
    } finally {
      logVisit(visit);
    }
  };
  // Counted here and not at the connection: a chat whose caller left still has to be settled.
  return (request, response, arrival) => deps.inFlight.run(() => answer(request, response, arrival));
}

async function serve(deps: ChatDoorDeps, visit: Visit, text: string): Promise<void> {
  const body = parseBody(visit, text);
  if (body.kind === 'refused') return sendError(visit, errorOfFault(body.fault));
  const parsed = parseChatBody(body.value, visit.request.headers, deps.gateway);
  if (parsed.kind === 'invalid') return sendError(visit, errorOfIssues(parsed.issues));
  // There was room when it came, but a body takes its time.
  const fault = deps.gate.refuse('act', visit.caller);
  if (fault !== null) return sendError(visit, errorOfFault(fault));
  return deps.gate.run(visit.caller, () => ask(deps, visit, withoutForeignUser(parsed.asked, visit.caller)));
}

type Body = { readonly kind: 'read'; readonly value: object } | { readonly kind: 'refused'; readonly fault: DoorFault };

function parseBody({ request }: Visit, text: string): Body {
  const type = request.headers['content-type'] ?? '';
  if (!type.toLowerCase().startsWith('application/json')) {
    const message = `Send content-type application/json, not "${type.slice(0, 100)}".`;
    return { kind: 'refused', fault: { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message } };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { kind: 'read', value };
    return badRequest('must be one JSON object, such as {"messages": [{"role": "user", "content": "Hello"}]}');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return badRequest(`is not valid JSON: ${why.slice(0, 200)}`);
  }
}

function badRequest(what: string): Body {
  return { kind: 'refused', fault: { status: 400, code: 'BAD_REQUEST', message: `The request body ${what}.` } };
}

/** Clients send a `user` for many reasons: one whom the caller may not bill is left out, and the answer says so. */
function withoutForeignUser(asked: AskedChat, caller: Caller): AskedChat {
  const { request, warnings } = asked;
  if (request.userId === null || mayBill(caller, request.userId)) return asked;
  return { ...asked, request: { ...request, userId: null }, warnings: [...warnings, USER_LEFT_OUT] };
}

const USER_LEFT_OUT =
  'user was left out: your key may not bill others. That needs the scope chat:on-behalf-of; your key paid by itself or for its own user.';

function ask(deps: ChatDoorDeps, visit: Visit, asked: AskedChat): Promise<void> {
  if (visit.request.headers[WISH_HEADERS.dryRun] === 'true') {
    noteWish(visit, { name: 'routePreview', kind: 'query', isPaid: false });
    return answerPreview(deps, visit, asked);
  }
  if (asked.isStreamed) {
    noteWish(visit, { name: 'chatStream', kind: 'subscription', isPaid: true });
    return answerStream(deps, visit, asked);
  }
  noteWish(visit, { name: 'chat', kind: 'mutation', isPaid: true });
  return answerWhole(deps, visit, asked);
}

async function answerWhole({ gateway, isLeaving }: ChatDoorDeps, visit: Visit, asked: AskedChat): Promise<void> {
  const { requestId, caller, signal, response, span } = visit;
  const { request } = asked;
  const outcome = await gateway.chat({ requestId, request, caller, door: 'rest', signal, onDelta: null, span });
  if (isLeaving() && !response.headersSent) response.setHeader('connection', 'close');
  if (outcome.kind === 'notRun') return sendError(visit, errorOfRefusal(outcome.why));
  if (outcome.kind === 'ended') return sendError(visit, errorOfRefusal(outcome.why), outcome);
  // What an earlier sending left is not what is left now.
  const { account } = outcome;
  const budget = account === null || outcome.isReplayed ? null : gateway.budgetIn(account);
  const remaining = budget === null ? null : availableOf(budget.account, budget.cap);
  const created = Math.floor(gateway.now() / 1_000);
  return sendWhole(visit, {
    status: 200,
    headers: answerHeadersOf(outcome, remaining),
    body: {
      ...completionOf(outcome, { created, warnings: warningsOf(asked, outcome) }),
      ...explained(visit, outcome),
    },
  });
}

/** Plans the same request, and changes nothing. */
async function answerPreview({ gateway }: ChatDoorDeps, visit: Visit, asked: AskedChat): Promise<void> {
  const { requestId, caller, signal, span } = visit;
  const preview = await gateway.preview({
    requestId,
    request: asked.request,
    caller,
    door: 'rest',
    signal,
    // A model that does not stream is not asked for a stream.
    onDelta: asked.isStreamed ? () => undefined : null,
    span,
  });
  const { selected, blockedBy } = preview;
  return sendWhole(visit, {
    status: 200,
    headers: {},
    body: {
      object: 'chat.completion.preview',
      model: selected?.model ?? null,
      provider: selected?.provider ?? null,
      blocked_by: blockedBy === null ? null : errorObjectOf(errorOfRefusal(blockedBy)),
      estimated_input_tokens: preview.estimatedInputTokens,
      reservation_usd: formatUsd(preview.reservation),
      gateway: { routing: routingOf(preview.decision) },
    },
  });
}
