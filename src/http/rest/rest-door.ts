import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestId } from '../../core/ids.ts';
import { pathOf, SHUTTING_DOWN, sendFault, sendMethodNotAllowed } from '../answer.ts';
import { type Doorkeeper, forbidden } from '../authenticate.ts';
import { refuseBody, turnAway } from '../body.ts';
import { traceparentOf } from '../request-id.ts';
import { type ChatDoorDeps, makeChatDoor } from './chat-door.ts';
import { answerModels, MODELS_PATH } from './models-door.ts';
import { REST_FORM } from './rest-error.ts';
import { logVisit, makeVisit, noteWish } from './visit.ts';

export const CHAT_PATH = '/v1/chat/completions';

/** For clients whose base address has no version. */
const CHAT_PATHS: readonly string[] = [CHAT_PATH, '/chat/completions'];

/** What is answered at once cannot be left. */
const NEVER = new AbortController().signal;

/** The API that clients of OpenAI speak. */
export interface RestDoor {
  /** Whether a path is this door's to answer, with whatever. */
  isAt(path: string): boolean;
  answer(request: IncomingMessage, response: ServerResponse, requestId: RequestId): Promise<void>;
}

export function makeRestDoor(
  deps: ChatDoorDeps & { readonly doorkeeper: Doorkeeper; readonly isDraining: () => boolean },
): RestDoor {
  const { gateway, gate, clock } = deps;
  const answerChat = makeChatDoor(deps);
  const refusing = { clock, form: REST_FORM };
  return {
    isAt: (path) => path.startsWith('/v1/') || CHAT_PATHS.includes(path),
    async answer(request, response, requestId) {
      const path = pathOf(request);
      if (deps.isDraining()) return refuseBody(request, response, SHUTTING_DOWN, refusing);
      const admission = await deps.doorkeeper.admit(request.headers.authorization);
      if (admission.kind === 'refused') return turnAway(request, response, admission.fault, refusing);
      const { caller } = admission;
      const isChat = CHAT_PATHS.includes(path);
      if (isChat && request.method !== 'POST') return sendMethodNotAllowed(response, 'POST', REST_FORM);
      const fault = (isChat ? forbidden(caller, 'chat') : null) ?? gate.refuse(isChat ? 'act' : 'read', caller);
      if (fault !== null) return turnAway(request, response, fault, refusing);
      if (isChat) return answerChat(request, response, { requestId, caller });
      if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
        const span = deps.traces.operation('GET /v1/models', traceparentOf(request));
        const visit = makeVisit({ ...deps, span, request, response, requestId, caller, signal: NEVER });
        noteWish(visit, { name: 'models', kind: 'query', isPaid: false });
        answerModels(request, response, gateway);
        return logVisit(visit);
      }
      const message = `Nothing is served at ${path.slice(0, 100)}. Send chats to ${CHAT_PATH}; ${MODELS_PATH} lists models.`;
      sendFault(response, { status: 404, code: 'NOT_FOUND', message }, REST_FORM);
    },
  };
}
