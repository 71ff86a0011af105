import type { RequestView } from '../core/request-record.ts';
import { ApiErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { makeConnection } from './connection.ts';
import { failureOfRecord } from './failure-shape.ts';
import { parseGlobalId, requestGlobalId } from './global-id.ts';
import { pageArgs, pageOrThrow, parsePage } from './page.ts';
import { providerOf } from './provider-shape.ts';
import { ApiKeyRef, NodeRef, ProviderRef, RequestRef, RoutingDecisionRef } from './refs.ts';
import { parseFilter, RequestFilterInput } from './request-filter.ts';
import { CostRef, TimingRef, TokenUsageRef } from './usage.ts';
import { DoorEnum, FinishReasonEnum, RequestStatusEnum } from './words.ts';

RequestRef.implement({ description: 'A recorded request.', interfaces: [NodeRef] });

builder.objectFields(RequestRef, (t) => ({
  id: t.id({ description: 'Global id, equal to the `x-request-id` header.', resolve: ({ id }) => requestGlobalId(id) }),
  createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it arrived.' }),
  status: t.expose('status', { type: RequestStatusEnum, description: 'How far it is.' }),
  door: t.expose('door', { type: DoorEnum, description: 'Which door it came through.' }),
  streamed: t.exposeBoolean('isStreamed', { description: 'Whether the answer was streamed.' }),
  userId: t.exposeString('userId', { description: 'Who was billed.', nullable: true }),
  modelRequested: t.exposeString('modelRequested', { description: 'What the caller asked for.' }),
  modelName: t.string({
    description: 'The model that answered.',
    nullable: true,
    resolve: (view) => (isAtProvider(view) ? view.model : null),
  }),
  provider: t.field({
    type: ProviderRef,
    description: 'The provider that answered.',
    nullable: true,
    resolve: (view, _args, context) =>
      isAtProvider(view) && view.provider !== null ? providerOf(context, view.provider) : null,
  }),
}));

builder.objectFields(RequestRef, (t) => ({
  routing: t.field({
    type: RoutingDecisionRef,
    description: 'Why it was routed as it was.',
    nullable: true,
    resolve: async (view, _args, { gateway, signal }) => (await gateway.completeRequest(view, signal))?.routing ?? null,
  }),
  apiKey: t.field({
    type: ApiKeyRef,
    description: 'The API key used.',
    nullable: true,
    resolve: ({ apiKey }, _args, { keys }) => (apiKey === null ? null : keys.find(apiKey.id)),
  }),
  usage: t.expose('usage', { type: TokenUsageRef, description: 'Tokens used.', nullable: true }),
  cost: t.expose('cost', { type: CostRef, description: 'What it cost.', nullable: true }),
  timing: t.expose('timing', { type: TimingRef, description: 'Where the time went.', nullable: true }),
  finishReason: t.expose('finishReason', {
    type: FinishReasonEnum,
    description: 'Why the model stopped.',
    nullable: true,
  }),
  error: t.field({
    type: ApiErrorRef,
    description: 'What went wrong.',
    nullable: true,
    resolve: async (view, _args, { gateway, signal }) => {
      if (view.error === null) return null;
      const whole = await gateway.completeRequest(view, signal);
      return whole === null ? null : failureOfRecord(whole, view.error, gateway.registry);
    },
  }),
  metadata: t.expose('metadata', { type: 'JSON', description: 'Labels the caller gave.', nullable: true }),
  conversationId: t.exposeString('conversationId', { description: 'Conversation the caller named.', nullable: true }),
  traceId: t.exposeString('traceId', {
    description: 'W3C trace id, to look it up in a tracing tool.',
    nullable: true,
  }),
  promptText: t.string({
    description: 'The prompt. Null unless content recording is on and the caller has scope `content:read`.',
    nullable: true,
    resolve: async (view, _args, { contents }) => (await contents.read(view))?.prompt ?? null,
  }),
  answerText: t.string({
    description: 'The answer. Null unless content recording is on and the caller has scope `content:read`.',
    nullable: true,
    resolve: async (view, _args, { contents }) => (await contents.read(view))?.answer ?? null,
  }),
}));

/**
 * Whether its provider is the one that answered, or is asked at this moment. The record also names the one that failed last: to be seen in
 * `routing.attempts`.
 */
function isAtProvider({ status }: RequestView): boolean {
  return status === 'succeeded' || status === 'running';
}

const RequestConnection = makeConnection('Request', RequestRef, {
  page: 'Page of requests. There is no total count: ask `analytics` for numbers.',
  edges: 'Requests with their cursors.',
  nodes: 'The requests alone.',
  pageInfo: 'Where this page ends.',
  edge: 'A request and its cursor.',
  cursor: 'Cursor of this request.',
  node: 'The request.',
});

const RequestOrderFieldEnum = builder.enumType('RequestOrderField', {
  description: 'What requests can be sorted by.',
  values: {
    CREATED_AT: { value: 'createdAt', description: 'Time of arrival.' },
    COST: { value: 'cost', description: 'Total cost.' },
    DURATION: { value: 'duration', description: 'Total time.' },
  },
});

const OrderDirectionEnum = builder.enumType('OrderDirection', {
  description: 'Up or down.',
  values: {
    ASC: { value: 'ascending', description: 'Smallest first.' },
    DESC: { value: 'descending', description: 'Largest first.' },
  },
});

const RequestOrderInput = builder.inputType('RequestOrder', {
  description: 'Sort order of requests.',
  fields: (t) => ({
    field: t.field({ type: RequestOrderFieldEnum, description: 'What to sort by.', required: true }),
    direction: t.field({ type: OrderDirectionEnum, description: 'Up or down.', required: true }),
  }),
});

const NEWEST_FIRST = { field: 'createdAt', direction: 'descending' } as const;

builder.queryField('requests', (t) =>
  t.field({
    type: RequestConnection,
    description: 'The request log, newest first unless told otherwise. Keyset pagination: stable while rows arrive.',
    extensions: { access: 'requests:read' },
    args: {
      ...pageArgs(),
      filter: t.arg({ type: RequestFilterInput, description: 'Keeps only the requests that match.' }),
      orderBy: t.arg({ type: RequestOrderInput, description: 'Sort order.', defaultValue: NEWEST_FIRST }),
    },
    resolve: async (_root, { filter, orderBy, ...page }, { gateway, caller }) => {
      const order = orderBy ?? NEWEST_FIRST;
      return pageOrThrow(
        await gateway.pageRequests({ page: parsePage(page), filter: parseFilter(filter, gateway), order, caller }),
      );
    },
  }),
);

builder.queryField('request', (t) =>
  t.field({
    type: RequestRef,
    description: 'One request by id, including why it was routed as it was.',
    nullable: true,
    extensions: { access: 'requests:read' },
    args: { id: t.arg.id({ description: 'The id, as in the `x-request-id` header.', required: true }) },
    resolve: (_root, { id }, { gateway, caller }) => {
      const parsed = parseGlobalId(id);
      return parsed?.kind === 'request' ? gateway.findRequest(parsed.id, caller) : null;
    },
  }),
);
