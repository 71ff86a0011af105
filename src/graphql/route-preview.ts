import { GraphQLError } from 'graphql';
import type { ChatRequest } from '../core/chat-request.ts';
import type { RawChat } from '../core/raw-chat.ts';
import type { Preview } from '../gateway/gateway.ts';
import { ApiErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { ChatInput } from './chat-input.ts';
import { chatCall, type OperationContext } from './context.ts';
import { failureOf, unrecorded } from './failure-shape.ts';
import { RoutingDecisionRef } from './refs.ts';
import { RouteCandidateRef } from './routing.ts';

const RoutePreviewRef = builder.objectRef<Preview>('RoutePreview').implement({
  description: 'How a request would be routed right now.',
  fields: (t) => ({
    decision: t.expose('decision', { type: RoutingDecisionRef, description: 'The plan, candidate by candidate.' }),
    selected: t.expose('selected', {
      type: RouteCandidateRef,
      description: 'The first choice; null when nobody is eligible.',
      nullable: true,
    }),
    blockedBy: t.field({
      type: ApiErrorRef,
      description: 'Why the request would be refused, if it would be.',
      nullable: true,
      resolve: ({ blockedBy, decision }) => {
        if (blockedBy === null) return null;
        if (blockedBy.kind === 'invalidInput') return unrecorded(blockedBy);
        return failureOf(blockedBy, { requestId: null, routing: decision });
      },
    }),
    estimatedInputTokens: t.exposeInt('estimatedInputTokens', { description: 'Estimated tokens of the input.' }),
    reservationUsd: t.expose('reservation', {
      type: 'Decimal',
      description: 'The amount that would be held from the budget.',
    }),
  }),
});

builder.queryField('routePreview', (t) =>
  t.field({
    type: RoutePreviewRef,
    description:
      'Explains how a chat would be routed right now, without calling anyone and without cost. Takes the same input as `chat`.',
    extensions: { access: 'chat' },
    args: { input: t.arg({ type: ChatInput, description: 'The chat to plan.', required: true }) },
    resolve: (_root, { input }, context) => context.gateway.preview(chatCall(parseOrThrow(input, context), context)),
  }),
);

/** A chat that cannot be planned has no decision to show, so that its problems are a top-level error here. */
function parseOrThrow(input: RawChat, { gateway }: OperationContext): ChatRequest {
  const parsed = gateway.parseChat(input);
  if (parsed.kind === 'valid') return parsed.request;
  throw new GraphQLError(parsed.message, { extensions: { code: parsed.code, issues: parsed.issues } });
}
