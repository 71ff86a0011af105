import type { ChatRequest } from '../core/chat-request.ts';
import type { Delta } from '../core/delta.ts';
import type { RequestId } from '../core/ids.ts';
import { type PicoUsd, ZERO_USD } from '../core/money.ts';
import type { StreamCall } from '../gateway/gateway.ts';
import type { StreamEvent, StreamPiece } from '../gateway/stream-log.ts';
import type { AnsweredChat } from './answered-chat.ts';
import { ApiErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { ChatInput } from './chat-input.ts';
import { chatCall, type OperationContext } from './context.ts';
import { doorError, invalidInput } from './door-error.ts';
import { type FailureShape, failureOf, failureOfNotRun, unrecorded } from './failure-shape.ts';
import { requestGlobalId } from './global-id.ts';
import { providerOf } from './provider-shape.ts';
import { ChatSuccessRef, ProviderRef, RoutingDecisionRef } from './refs.ts';
import { AttemptRef } from './routing.ts';

interface At {
  readonly sequence: number;
}

type Started = At & Extract<StreamEvent, { readonly kind: 'started' }>;
type Piece = At & Extract<StreamEvent, { readonly kind: 'delta' }>;
type Rerouted = At & Extract<StreamEvent, { readonly kind: 'rerouted' }>;
type Completed = At & { readonly kind: 'completed'; readonly chat: AnsweredChat };
type Failed = At & { readonly kind: 'failed'; readonly failure: FailureShape; readonly cost: PicoUsd };

const ChatStartedRef = builder.objectRef<Started>('ChatStarted').implement({
  description: 'The request was accepted, paid for in advance, and routed.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Position in the stream, starting at 0.' }),
    requestId: t.id({ description: "The request's id.", resolve: ({ requestId }) => requestGlobalId(requestId) }),
    routing: t.expose('routing', { type: RoutingDecisionRef, description: 'Where it goes and why.' }),
  }),
});

type ToolCallPiece = Extract<Delta, { readonly kind: 'toolCall' }>;

const ToolCallDeltaRef = builder.objectRef<ToolCallPiece>('ToolCallDelta').implement({
  description: 'A piece of a tool call; pieces with the same index belong together.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Which call of this answer.' }),
    id: t.exposeID('id', { description: "The call's id, sent once.", nullable: true }),
    name: t.exposeString('name', { description: "The function's name, sent once.", nullable: true }),
    argumentsChunk: t.exposeString('argumentsChunk', { description: 'Argument text to append.', nullable: true }),
  }),
});

const ChatDeltaRef = builder.objectRef<Piece>('ChatDelta').implement({
  description: 'A piece of the answer.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Position in the stream.' }),
    content: t.string({
      description: 'Text to append.',
      nullable: true,
      resolve: ({ delta }) => (delta.kind === 'text' ? delta.text : null),
    }),
    reasoning: t.string({
      description: 'Thinking text to append, where the provider shows it.',
      nullable: true,
      resolve: ({ delta }) => (delta.kind === 'reasoning' ? delta.text : null),
    }),
    toolCall: t.field({
      type: ToolCallDeltaRef,
      description: 'A piece of a tool call.',
      nullable: true,
      resolve: ({ delta }) => (delta.kind === 'toolCall' ? delta : null),
    }),
  }),
});

const ChatReroutedRef = builder.objectRef<Rerouted>('ChatRerouted').implement({
  description: 'A provider failed before the first token and another one took over. Never sent after a ChatDelta.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Position in the stream.' }),
    failed: t.expose('failed', { type: AttemptRef, description: 'The attempt that failed.' }),
    provider: t.field({
      type: ProviderRef,
      description: 'The provider that takes over.',
      resolve: ({ provider }, _args, context) => providerOf(context, provider),
    }),
  }),
});

const ChatCompletedRef = builder.objectRef<Completed>('ChatCompleted').implement({
  description: 'The answer is complete.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Position in the stream.' }),
    result: t.expose('chat', { type: ChatSuccessRef, description: 'The same object that `chat` returns.' }),
  }),
});

const ChatFailedRef = builder.objectRef<Failed>('ChatFailed').implement({
  description: 'The request ended without a complete answer. Tokens already sent were paid for.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Position in the stream.' }),
    error: t.expose('failure', { type: ApiErrorRef, description: 'What went wrong.' }),
    costUsd: t.expose('cost', { type: 'Decimal', description: 'What was spent before the failure.' }),
  }),
});

type Shape = Started | Piece | Rerouted | Completed | Failed;

const TYPES = {
  started: 'ChatStarted',
  delta: 'ChatDelta',
  rerouted: 'ChatRerouted',
  completed: 'ChatCompleted',
  failed: 'ChatFailed',
} as const satisfies Record<Shape['kind'], string>;

const ChatStreamEvent = builder.unionType('ChatStreamEvent', {
  description:
    'One event of a streamed chat. Order: one ChatStarted, any number of ChatDelta and ChatRerouted, then one ChatCompleted or ChatFailed.',
  types: [ChatStartedRef, ChatDeltaRef, ChatReroutedRef, ChatCompletedRef, ChatFailedRef],
  resolveType: ({ kind }) => TYPES[kind],
});

builder.subscriptionField('chatStream', (t) =>
  t.field({
    type: ChatStreamEvent,
    description: [
      'Routes one chat request and streams the answer. Spends money exactly as `chat` does.',
      'Clients reconnect by themselves after a network drop and would run the request twice: send `idempotencyKey`',
      '(and `resumeAfter` when you track sequence numbers) and the running or finished answer is replayed instead.',
      'Unsubscribing cancels the request.',
    ].join('\n'),
    args: {
      input: t.arg({ type: ChatInput, description: 'What to ask and how to route it.', required: true }),
      resumeAfter: t.arg.int({
        description: 'Sequence number of the last event already received; replay starts after it.',
      }),
    },
    extensions: { isPaid: true, access: 'chat' },
    subscribe: (_root, { input, resumeAfter }, context) => {
      const parsed = context.gateway.parseChat(input);
      if (parsed.kind === 'invalidInput') return failedAtOnce(unrecorded(parsed));
      // Before the stream begins: what is refused from within it can only be told as one that broke.
      const { onDelta: _none, ...call } = chatCall(parsed.request, context);
      return eventsOf({ ...call, resumeAfter: parseResume(resumeAfter, parsed.request) }, context);
    },
    resolve: (event) => event,
  }),
);

function parseResume(resumeAfter: number | null | undefined, { idempotencyKey }: ChatRequest): number | null {
  if (resumeAfter === null || resumeAfter === undefined) return null;
  if (idempotencyKey === null) {
    throw invalidInput(
      '`resumeAfter` goes on in the stream of an `idempotencyKey`: send the key as well, or leave `resumeAfter` out to begin.',
    );
  }
  if (resumeAfter >= 0) return resumeAfter;
  throw invalidInput(
    '`resumeAfter` must be the `sequence` of an event of this stream: 0 or more. Leave it out to begin.',
  );
}

async function* failedAtOnce(failure: FailureShape): AsyncGenerator<Shape> {
  yield { kind: 'failed', sequence: 0, failure, cost: ZERO_USD };
}

async function* eventsOf(call: StreamCall, { gateway, surveys }: OperationContext): AsyncGenerator<Shape> {
  for await (const piece of gateway.stream(call)) {
    // One subscription is one operation: each event shows its provider as it is then.
    surveys.forget();
    yield shapeOf(piece, call.request, call.requestId);
  }
}

function shapeOf(piece: StreamPiece, asked: ChatRequest, requestId: RequestId): Shape {
  if ('kind' in piece) {
    throw doorError('STREAM_LOST', lostMessageOf(asked));
  }
  const { sequence, event } = piece;
  if (event.kind !== 'ended') return { ...event, sequence };
  const { outcome } = event;
  if (outcome.kind === 'answered') {
    // Of a stream that another subscription began.
    const isReplayed = outcome.isReplayed || outcome.requestId !== requestId;
    return { kind: 'completed', sequence, chat: { ...outcome, asked, isReplayed } };
  }
  if (outcome.kind === 'notRun') return { kind: 'failed', sequence, failure: failureOfNotRun(outcome), cost: ZERO_USD };
  return { kind: 'failed', sequence, failure: failureOf(outcome.why, outcome), cost: outcome.cost.total };
}

/** What becomes of the request when its reader is left depends on whether one can come back to it. */
function lostMessageOf({ idempotencyKey }: ChatRequest): string {
  const what = 'This stream was read so slowly that events of it are gone';
  return idempotencyKey === null
    ? `${what}, so it was stopped, unless it had ended. What was begun is paid for, and request(id) says how much that was. With an idempotencyKey its answer could be asked for again.`
    : `${what}, but it runs on: send chat with the same idempotencyKey.`;
}
