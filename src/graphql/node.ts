import { brandWithType } from '@pothos/core';
import { CHAT_LIMITS } from '../core/chat-request.ts';
import { accountOf } from '../core/ids.ts';
import { findProvider } from '../core/registry.ts';
import { mayReadBudget } from '../gateway/caller.ts';
import { eventOfChange, eventOfPresent } from './breaker-event.ts';
import { builder } from './builder.ts';
import type { OperationContext } from './context.ts';
import { invalidInput } from './door-error.ts';
import { type GlobalId, parseGlobalId } from './global-id.ts';
import {
  ApiKeyRef,
  BreakerEventRef,
  BudgetRef,
  ModelRef,
  NodeRef,
  type NodeShape,
  ProviderRef,
  RequestRef,
} from './refs.ts';

const NODES_MAX = 100;

NodeRef.implement({
  description: 'Anything that can be fetched again by its globally unique id.',
  fields: (t) => ({ id: t.id({ description: 'Globally unique id.' }) }),
});

builder.queryField('node', (t) =>
  t.field({
    type: NodeRef,
    description: 'Fetches any object by its global id.',
    nullable: true,
    extensions: { access: 'any key' },
    args: { id: t.arg.id({ description: 'A global id such as `req_0199…` or `prov_openai`.', required: true }) },
    resolve: (_root, { id }, context) => findNode(id, context),
  }),
);

builder.queryField('nodes', (t) =>
  t.field({
    type: [NodeRef],
    description: 'Fetches several objects at once, in the order asked; unknown ids give null.',
    nullable: { list: false, items: true },
    extensions: { access: 'any key' },
    args: { ids: t.arg.idList({ description: 'Up to 100 global ids.', required: true }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > NODES_MAX) throw invalidInput(`\`ids\` takes at most ${NODES_MAX} ids, got ${ids.length}.`);
      return Promise.all(ids.map((id) => findNode(id, context)));
    },
  }),
);

/** Null when the id is none of ours, or nothing has it. */
async function findNode(id: string, context: OperationContext): Promise<NodeShape | null> {
  const parsed = parseGlobalId(id);
  return parsed === null ? null : findParsed(parsed, context);
}

async function findParsed(id: GlobalId, context: OperationContext): Promise<NodeShape | null> {
  const { gateway, caller } = context;
  switch (id.kind) {
    case 'request':
      return named(RequestRef, await gateway.findRequest(id.id, caller));
    case 'budget':
      if (id.holder.id.length > CHAT_LIMITS.userIdCharsMax || !mayReadBudget(caller, accountOf(id.holder))) return null;
      return named(BudgetRef, await gateway.findBudget(id.holder));
    case 'apiKey':
      return named(ApiKeyRef, await gateway.findKey(id.id, caller));
    case 'breakerEvent': {
      const event = await gateway.findBreakerEvent(id.sequence);
      return event === null ? null : named(BreakerEventRef, eventOfChange(event, 0));
    }
    case 'provider':
    case 'model':
    case 'breakerSnapshot':
      return findConfigured(id, context);
    default:
      return id satisfies never;
  }
}

/** What the registry must know to exist. */
async function findConfigured(
  id: Extract<GlobalId, { readonly kind: 'provider' | 'model' | 'breakerSnapshot' }>,
  context: OperationContext,
): Promise<NodeShape | null> {
  const { gateway, surveys } = context;
  const spec = findProvider(gateway.registry, id.kind === 'provider' ? id.key : id.provider);
  if (spec === undefined) return null;
  switch (id.kind) {
    case 'provider':
      return named(ProviderRef, { key: spec.key, spec });
    case 'model': {
      const model = spec.models.find((known) => known.name === id.model);
      return model === undefined ? null : named(ModelRef, { provider: spec, model });
    }
    case 'breakerSnapshot': {
      // Snapshots are not kept: fetched again, one shows what is present then.
      const { nowMs: atMs, survey } = await surveys.look(spec.key);
      const present = { kind: 'present', state: survey.state, sequence: id.sequence, atMs, dropped: 0 } as const;
      return named(BreakerEventRef, eventOfPresent(present, gateway));
    }
    default:
      return id satisfies never;
  }
}

/** A copy that carries its type's name, which is how the interface tells its members apart. */
function named<Shape extends NodeShape>(type: PothosRef, value: Shape | null): Shape | null {
  if (value === null) return null;
  const copy = { ...value };
  brandWithType(copy, type);
  return copy;
}

type PothosRef =
  | typeof ApiKeyRef
  | typeof RequestRef
  | typeof BudgetRef
  | typeof BreakerEventRef
  | typeof ProviderRef
  | typeof ModelRef;
