import type { IncomingMessage, ServerResponse } from 'node:http';
import { availableOf } from '../../core/account.ts';
import type { RequestId } from '../../core/ids.ts';
import { formatUsd } from '../../core/money.ts';
import { OPEN_CALLER } from '../../gateway/caller.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requestGlobalId } from '../../graphql/global-id.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { DoorFault } from '../answer.ts';
import { readBody, refuseBody } from '../body.ts';
import type { Callers } from '../callers.ts';
import type { InFlight } from '../in-flight.ts';
import type { LoadGate } from '../load-gate.ts';
import { maskedOf } from '../mask.ts';
import { answerHeadersOf, WISH_HEADERS } from './answer-headers.ts';
import { type AskedChat, parseChatBody } from './chat-body.ts';
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
}

export type ChatDoor = (request: IncomingMessage, response: ServerResponse, requestId: RequestId) => Promise<void>;

/** `POST /v1/chat/completions`: reads what is asked, asks the gateway once, and writes what came of it. */
export function makeChatDoor(deps: ChatDoorDeps): ChatDoor {
  const answer: ChatDoor = async (request, response, requestId) => {
    const body = await readBody(request);
    if (body.kind === 'gone') return;
    if (body.kind === 'refused') {
      return refuseBody(request, response, body.fault, { clock: deps.clock, form: REST_FORM });
    }
    using caller = deps.callers.waitingFor(response);
    const visit = makeVisit({ ...deps, request, response, requestId, caller: OPEN_CALLER, signal: caller.signal });
    try {
      await serve(deps, visit, body.text);
    } catch (error) {
      const masked = maskedOf(error, visit);
      await sendError(visit, errorOfMasked(masked, requestGlobalId(requestId)));
    } finally {
      logVisit(visit);
    }
  };
  // Counted here and not at the connection: a chat whose caller left still has to be settled.
  return (request, response, requestId) => deps.inFlight.run(() => answer(request, response, requestId));
}

async function serve(deps: ChatDoorDeps, visit: Visit, text: string): Promise<void> {
  const body = parseBody(visit, text);
  if (body.kind === 'refused') return sendError(visit, errorOfFault(body.fault));
  const parsed = parseChatBody(body.value, visit.request.headers, deps.gateway);
  if (parsed.kind === 'invalid') return sendError(visit, errorOfIssues(parsed.issues));
  // There was room when it came, but a body takes its time.
  const fault = deps.gate.refuse('act');
  if (fault !== null) return sendError(visit, errorOfFault(fault));
  return deps.gate.run(() => ask(deps, visit, parsed.asked));
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
  const { requestId, caller, signal, response } = visit;
  const { request } = asked;
  const outcome = await gateway.chat({ requestId, request, caller, door: 'rest', signal, onDelta: null });
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
  const { requestId, caller, signal } = visit;
  const preview = await gateway.preview({
    requestId,
    request: asked.request,
    caller,
    door: 'rest',
    signal,
    // A model that does not stream is not asked for a stream.
    onDelta: asked.isStreamed ? () => undefined : null,
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
