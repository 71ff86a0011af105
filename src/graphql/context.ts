import type { ChatRequest } from '../core/chat-request.ts';
import type { RequestId } from '../core/ids.ts';
import { type Caller, mayBill } from '../gateway/caller.ts';
import type { ChatCall, ChatSpan, Gateway } from '../gateway/gateway.ts';
import { type ContentDesk, makeContentDesk } from './content-desk.ts';
import { doorError } from './door-error.ts';
import { type KeyDesk, makeKeyDesk } from './key-desk.ts';
import { makeSurveyDesk, type SurveyDesk } from './survey-desk.ts';

/** What every resolver of one operation is given. */
export interface OperationContext {
  readonly gateway: Gateway;
  readonly caller: Caller;
  /** Of this operation; a chat in it is recorded under it. */
  readonly requestId: RequestId;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  readonly surveys: SurveyDesk;
  readonly contents: ContentDesk;
  readonly keys: KeyDesk;
  readonly span: ChatSpan;
}

export function makeContext(of: Omit<OperationContext, 'surveys' | 'contents' | 'keys'>): OperationContext {
  const { gateway, caller } = of;
  return {
    ...of,
    surveys: makeSurveyDesk(gateway),
    contents: makeContentDesk(gateway, caller),
    keys: makeKeyDesk(gateway, caller),
  };
}

/** A chat of this operation, as the gateway wants it. Throws when the caller may not bill whom it names. */
export function chatCall(request: ChatRequest, { requestId, caller, signal, span }: OperationContext): ChatCall {
  if (request.userId !== null && !mayBill(caller, request.userId)) throw doorError('FORBIDDEN', NOT_THEIRS);
  return { requestId, request, caller, door: 'graphql', signal, onDelta: null, span };
}

const NOT_THEIRS =
  'Your key may not bill this userId: that needs the scope chat:on-behalf-of. Leave userId out, and your key pays by itself or for its own user.';
