import type { ChatRequest } from '../core/chat-request.ts';
import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import type { Answer } from '../core/prompt.ts';
import type { RequestView } from '../core/request-record.ts';
import { isUnavailable } from '../core/unavailable.ts';
import { usedKeyOf } from '../gateway/caller.ts';
import { type AnsweredChat, recordOfAnswer } from './answered-chat.ts';
import {
  AllProvidersFailedErrorRef,
  BudgetExceededErrorRef,
  CostLimitTooLowErrorRef,
  ERROR_TYPES,
  IdempotencyConflictErrorRef,
  InvalidInputErrorRef,
  NoProviderAvailableErrorRef,
  RateLimitedErrorRef,
  TimedOutErrorRef,
} from './api-error.ts';
import { budgetAsItStood } from './budget-shape.ts';
import { builder } from './builder.ts';
import { ChatInput } from './chat-input.ts';
import { chatCall, type OperationContext } from './context.ts';
import { doorError } from './door-error.ts';
import { failureOf, failureOfNotRun, unrecorded } from './failure-shape.ts';
import { providerOf } from './provider-shape.ts';
import { BudgetRef, ChatSuccessRef, ProviderRef, RequestRef, RoutingDecisionRef } from './refs.ts';
import { ToolCallRef } from './tool.ts';
import { CostRef, TimingRef, TokenUsageRef } from './usage.ts';
import { FinishReasonEnum, RoleEnum } from './words.ts';

const ChatMessageRef = builder.objectRef<Answer>('ChatMessage').implement({
  description: 'One message.',
  fields: (t) => ({
    role: t.field({ type: RoleEnum, description: 'Who speaks.', resolve: () => 'assistant' as const }),
    content: t.exposeString('text', { description: 'The text.', nullable: true }),
    refusal: t.exposeString('refusal', { description: 'Why the model declined, when it did.', nullable: true }),
    toolCalls: t.field({
      type: [ToolCallRef],
      description: 'Tools the model wants to call.',
      resolve: ({ toolCalls }) => toolCalls,
    }),
  }),
});

/** The answer was paid for: it is never lost because the log could not be written, or cannot be read now. */
async function recordedOrMade(chat: AnsweredChat, { gateway, caller, span }: OperationContext): Promise<RequestView> {
  const traceId = chat.isReplayed ? null : span.traceId;
  const made = () => recordOfAnswer(chat, { nowMs: gateway.now(), apiKey: usedKeyOf(caller), traceId });
  try {
    return (await gateway.findAnswered(chat.requestId)) ?? made();
  } catch (error) {
    if (isUnavailable(error)) return made();
    throw error;
  }
}

ChatSuccessRef.implement({ description: 'A finished answer.' });

builder.objectFields(ChatSuccessRef, (t) => ({
  request: t.field({
    type: RequestRef,
    description: 'The recorded request; everything about it stays readable under its id.',
    resolve: (chat, _args, context) => recordedOrMade(chat, context),
  }),
  content: t.string({
    description: "The answer's text. Null when the model only called tools.",
    nullable: true,
    resolve: ({ answer }) => answer.text,
  }),
  message: t.field({
    type: ChatMessageRef,
    description: 'The answer as a message, tool calls included.',
    resolve: ({ answer }) => answer,
  }),
  finishReason: t.field({
    type: FinishReasonEnum,
    description: 'Why the model stopped.',
    resolve: ({ answer }) => answer.finishReason,
  }),
  provider: t.field({
    type: ProviderRef,
    description: 'The provider that answered.',
    resolve: ({ provider }, _args, context) => providerOf(context, provider),
  }),
  modelName: t.exposeString('model', { description: 'The model that answered, by its exact name.' }),
  usage: t.expose('usage', { type: TokenUsageRef, description: 'Tokens used.' }),
  cost: t.expose('cost', { type: CostRef, description: 'What it cost.' }),
  timing: t.expose('timing', { type: TimingRef, description: 'Where the time went.' }),
  routing: t.expose('routing', { type: RoutingDecisionRef, description: 'Why it was routed as it was.' }),
  budget: t.field({
    type: BudgetRef,
    description: "The payer's budget after this request, when there is one.",
    nullable: true,
    resolve: ({ account }, _args, context) => (account === null ? null : budgetAsItStood(account, context)),
  }),
  replayed: t.exposeBoolean('isReplayed', {
    description: 'True when an earlier outcome was returned for the same idempotency key; nothing was charged.',
  }),
  warnings: t.stringList({
    description: 'Things worth knowing that were not errors, such as a parameter a provider ignored.',
    resolve: ({ warnings }) => warnings,
  }),
}));

const ChatResult = builder.unionType('ChatResult', {
  description: 'Outcome of `chat`.',
  types: [
    ChatSuccessRef,
    BudgetExceededErrorRef,
    CostLimitTooLowErrorRef,
    RateLimitedErrorRef,
    NoProviderAvailableErrorRef,
    AllProvidersFailedErrorRef,
    TimedOutErrorRef,
    InvalidInputErrorRef,
    IdempotencyConflictErrorRef,
  ],
  resolveType: ({ kind }) => (kind === 'answered' ? 'ChatSuccess' : ERROR_TYPES[kind]),
});

builder.mutationField('chat', (t) =>
  t.field({
    type: ChatResult,
    description:
      'Routes one chat request to the best provider, falling back when it fails, and returns the whole answer.',
    args: { input: t.arg({ type: ChatInput, description: 'What to ask and how to route it.', required: true }) },
    // Read by the rule that lets one operation spend money only once.
    extensions: { isPaid: true, access: 'chat' },
    resolve: async (_root, { input }, context) => {
      const parsed = context.gateway.parseChat(input);
      if (parsed.kind === 'invalidInput') return unrecorded(parsed);
      const outcome = await context.gateway.chat(chatCall(parsed.request, context));
      context.surveys.forget();
      return resultOf(outcome, parsed.request);
    },
  }),
);

function resultOf(outcome: ChatOutcome | NotRun, asked: ChatRequest) {
  if (outcome.kind === 'answered') return { ...outcome, asked };
  const failure = outcome.kind === 'notRun' ? failureOfNotRun(outcome) : failureOf(outcome.why, outcome);
  // Whoever went away reads nothing, and whoever had it stopped knows: no type of their own for them.
  if (failure.kind === 'cancelled') throw doorError('CANCELLED', failure.message);
  return failure;
}
