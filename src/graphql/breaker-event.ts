import { describeTransition, reopensAtOf } from '../core/breaker.ts';
import { bareKey } from '../core/ids.ts';
import { findProvider } from '../core/registry.ts';
import type { BreakerNotice } from '../gateway/breaker-notice.ts';
import type { BreakerWatch, Gateway } from '../gateway/gateway.ts';
import { builder } from './builder.ts';
import { makeConnection } from './connection.ts';
import type { OperationContext } from './context.ts';
import { doorError, invalidInput } from './door-error.ts';
import { breakerEventGlobalId, breakerSnapshotGlobalId, parseGlobalId } from './global-id.ts';
import { providerOf } from './provider-shape.ts';
import { BreakerEventRef, type BreakerEventShape, NodeRef, ProviderRef } from './refs.ts';
import { BreakerStateEnum } from './words.ts';

/** A change as the gateway hands it on. */
export type RecordedChange = Extract<BreakerNotice, { readonly kind: 'changed' }>['event'];

const BreakerCauseEnum = builder.enumType('BreakerCause', {
  description: 'What made a breaker change.',
  values: {
    FAILURE_THRESHOLD: { value: 'failureThreshold', description: 'Too many failures in a row.' },
    COOLDOWN_ELAPSED: { value: 'cooldownElapsed', description: 'The cooldown passed.' },
    PROBE_SUCCEEDED: { value: 'probeSucceeded', description: 'The probe succeeded.' },
    PROBE_FAILED: { value: 'probeFailed', description: 'The probe failed.' },
    MANUAL_RESET: { value: 'manualReset', description: 'An operator reset it.' },
    SIMULATION: { value: 'simulation', description: 'A failure was simulated.' },
    SNAPSHOT: { value: 'snapshot', description: 'Nothing changed: the present state.' },
  },
});

BreakerEventRef.implement({
  description: 'A change of a circuit breaker, or its present state when `snapshot` is true.',
  interfaces: [NodeRef],
});

builder.objectFields(BreakerEventRef, (t) => ({
  id: t.exposeID('id', { description: 'Global id; sorts by time.' }),
  provider: t.field({
    type: ProviderRef,
    description: 'Whose breaker.',
    resolve: ({ provider }, _args, context) => providerOf(context, provider),
  }),
  from: t.expose('from', { type: BreakerStateEnum, description: 'State before; null in a snapshot.', nullable: true }),
  to: t.expose('to', { type: BreakerStateEnum, description: 'State after.' }),
  cause: t.expose('cause', { type: BreakerCauseEnum, description: 'What caused it.' }),
  epoch: t.exposeInt('epoch', {
    description: "Position in this provider's history; grows by one at every change, on whichever replica it happens.",
  }),
  message: t.exposeString('message', { description: 'Details for a person.' }),
  consecutiveFailures: t.exposeInt('fails', { description: 'Failures in a row at that moment.' }),
  nextProbeAt: t.expose('nextProbeAtMs', {
    type: 'DateTime',
    description: 'When the next probe is allowed, when open.',
    nullable: true,
  }),
  occurredAt: t.expose('occurredAtMs', { type: 'DateTime', description: 'When it happened.' }),
  replicaId: t.exposeString('replica', { description: 'Which replica saw it.' }),
  snapshot: t.boolean({
    description: 'True for the present state sent at the start of a subscription.',
    resolve: ({ cause }) => cause === 'snapshot',
  }),
  dropped: t.exposeInt('dropped', { description: 'Events dropped before this one because the subscriber was slow.' }),
}));

export const BreakerEventConnection = makeConnection('BreakerEvent', BreakerEventRef, {
  page: 'Page of breaker events.',
  edges: 'Events with their cursors.',
  nodes: 'The events alone.',
  pageInfo: 'Where this page ends.',
  edge: 'A breaker event and its cursor.',
  cursor: 'Cursor of this event.',
  node: 'The event.',
});

/** A change as it was recorded. */
export function eventOfChange(event: RecordedChange, dropped: number): BreakerEventShape {
  const { transition } = event;
  return {
    id: breakerEventGlobalId(event.sequence),
    provider: event.provider,
    from: transition.from,
    to: transition.to,
    cause: transition.cause,
    epoch: transition.epoch,
    message: describeTransition(transition),
    fails: transition.fails,
    nextProbeAtMs: transition.reopensAtMs,
    occurredAtMs: event.occurredAtMs,
    replica: event.replica,
    dropped,
  };
}

/** The present state of one breaker. */
export function eventOfPresent(present: Present, gateway: Gateway): BreakerEventShape {
  const { breaker, provider } = present.state;
  const { kind, fails } = breaker.circuit;
  return {
    id: breakerSnapshotGlobalId(present.sequence, provider),
    provider,
    from: null,
    to: kind,
    cause: 'snapshot',
    epoch: breaker.epoch,
    message: fails === 0 ? PRESENT_WORDS[kind] : `${PRESENT_WORDS[kind]}, ${fails} failures in a row`,
    fails,
    nextProbeAtMs: reopensAtOf(breaker),
    occurredAtMs: present.atMs,
    replica: gateway.info.replica,
    dropped: present.dropped,
  };
}

const PRESENT_WORDS = { closed: 'closed', open: 'open', halfOpen: 'half open: one probe at a time' } as const;

type Present = Extract<BreakerNotice, { readonly kind: 'present' }>;

builder.subscriptionField('breakerEvents', (t) =>
  t.field({
    type: BreakerEventRef,
    description: 'State changes of circuit breakers on any replica, in order per provider.',
    extensions: { access: 'any key' },
    args: {
      providerId: t.arg.id({ description: 'One provider by id or key; all of them when empty.' }),
      includeCurrent: t.arg.boolean({
        description: 'Send the present state of each breaker first.',
        defaultValue: true,
      }),
      after: t.arg.id({
        description:
          'Id of the last event already received: every later one is replayed, without a gap, before live events begin.',
      }),
    },
    subscribe: async (_root, args, context) => {
      const provider = parseProvider(args.providerId, context);
      const after = parseAfter(args.after);
      const { caller, signal } = context;
      return watch({ provider, after, includeCurrent: args.includeCurrent ?? true, caller, signal }, context);
    },
    resolve: (event) => event,
  }),
);

async function watch(wish: BreakerWatch, context: OperationContext): Promise<AsyncIterable<BreakerEventShape>> {
  const answer = await context.gateway.watchBreakers(wish);
  switch (answer.kind) {
    case 'watching':
      return eventsOf(answer.notices, context);
    case 'unknownAfter':
      throw invalidInput(`\`after\`: ${answer.message}`);
    case 'tooManyWatchers':
      throw doorError('TOO_MANY_WATCHERS', answer.message);
    default:
      return answer satisfies never;
  }
}

async function* eventsOf(
  notices: AsyncIterable<BreakerNotice>,
  context: OperationContext,
): AsyncGenerator<BreakerEventShape> {
  for await (const notice of notices) {
    // One subscription is one operation: each event shows its provider as it is then.
    context.surveys.forget();
    yield notice.kind === 'present'
      ? eventOfPresent(notice, context.gateway)
      : eventOfChange(notice.event, notice.dropped);
  }
}

/** Null: all providers. */
function parseProvider(id: string | null | undefined, { gateway }: OperationContext): BreakerWatch['provider'] {
  if (id === null || id === undefined) return null;
  const spec = findProvider(gateway.registry, bareKey(id));
  if (spec !== undefined) return spec.key;
  const known = gateway.registry.providers.map((provider) => provider.key).join(', ');
  throw doorError('NOT_FOUND', `No provider is called "${id}". There are ${known}.`);
}

/** The sequence that an event's or a snapshot's id carries. Null: from now on. */
function parseAfter(id: string | null | undefined): number | null {
  if (id === null || id === undefined) return null;
  const parsed = parseGlobalId(id);
  if (parsed?.kind === 'breakerEvent' || parsed?.kind === 'breakerSnapshot') return parsed.sequence;
  throw invalidInput(
    '`after` must be the id of an event of this subscription, such as "bev_000000000042". Leave it out to begin now.',
  );
}
