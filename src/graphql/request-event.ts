import { epochMs, later } from '../core/time.ts';
import type { Gateway, RequestNotice } from '../gateway/gateway.ts';
import { builder } from './builder.ts';
import type { OperationContext } from './context.ts';
import { doorError } from './door-error.ts';
import { RequestRef } from './refs.ts';
import { parseFilter, RequestFilterInput } from './request-filter.ts';
import { AttemptRef } from './routing.ts';

const END_OF_TIME = epochMs(Number.MAX_SAFE_INTEGER);

const RequestEventKindEnum = builder.enumType('RequestEventKind', {
  description: 'What happened to a request.',
  values: {
    STARTED: { value: 'started', description: 'It was routed.' },
    REROUTED: { value: 'rerouted', description: 'A provider failed and another took over.' },
    SUCCEEDED: { value: 'succeeded', description: 'It was answered.' },
    FAILED: { value: 'failed', description: 'It was not answered.' },
    REFUSED: { value: 'refused', description: 'It was refused before any call.' },
    CANCELLED: { value: 'cancelled', description: 'The caller stopped it.' },
  },
});

const RequestEventRef = builder.objectRef<RequestNotice>('RequestEvent').implement({
  description: 'A request that started, moved on or ended.',
  fields: (t) => ({
    kind: t.field({ type: RequestEventKindEnum, description: 'What happened.', resolve: ({ event }) => event.kind }),
    request: t.field({
      type: RequestRef,
      description: 'The request as it is now.',
      resolve: ({ event }) => event.request,
    }),
    attempt: t.field({
      type: AttemptRef,
      description: 'The attempt that failed, for REROUTED.',
      nullable: true,
      resolve: ({ event }) => event.attempt,
    }),
    occurredAt: t.field({
      type: 'DateTime',
      description: 'When it happened.',
      resolve: ({ event }) => event.occurredAtMs,
    }),
    dropped: t.exposeInt('dropped', { description: 'Events dropped before this one because the subscriber was slow.' }),
  }),
});

builder.subscriptionField('requestEvents', (t) =>
  t.field({
    type: RequestEventRef,
    description: 'Requests as they start, fall back and finish, on any replica. Needs scope `requests:read`.',
    extensions: { access: 'requests:read' },
    args: { filter: t.arg({ type: RequestFilterInput, description: 'Keeps only the requests that match.' }) },
    subscribe: (_root, { filter }, context) => {
      const { gateway, caller, signal } = context;
      const answer = gateway.watchRequests({ filter: liveFilter(filter, gateway), caller, signal });
      if (answer.kind === 'tooManyWatchers') throw doorError('TOO_MANY_WATCHERS', answer.message);
      return eventsOf(answer.notices, context);
    },
    resolve: (notice) => notice,
  }),
);

/** A window that ends now moves along, and nothing that is still to come lies behind its end. */
function liveFilter(raw: typeof RequestFilterInput.$inferInput | null | undefined, gateway: Gateway) {
  const filter = parseFilter(raw, gateway);
  const { window } = filter;
  if (window === null || (raw?.window?.last ?? null) === null) return () => filter;
  const lengthMs = window.toMs - window.fromMs;
  return () => ({ ...filter, window: { fromMs: later(gateway.now(), -lengthMs), toMs: END_OF_TIME } });
}

async function* eventsOf(
  notices: AsyncIterable<RequestNotice>,
  context: OperationContext,
): AsyncGenerator<RequestNotice> {
  for await (const notice of notices) {
    // One subscription is one operation: each event shows its provider as it is then.
    context.surveys.forget();
    yield notice;
  }
}
