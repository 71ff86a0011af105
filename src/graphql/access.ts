import { defaultFieldResolver, type GraphQLField, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { SCOPES, type Scope } from '../core/scope.ts';
import { type Caller, may } from '../gateway/caller.ts';
import type { OperationContext } from './context.ts';
import { doorError } from './door-error.ts';

// Who may call what. Every field of Query, Mutation and Subscription says it in `extensions.access`, in one of three ways:
//   'any key'                  whoever comes with a credential
//   'chat', or another scope   whoever has it
//   'own, or budgets:read'     whoever comes with a credential, for what is their own; with the scope, also for others'
// Whose it is depends on what was asked: the field's own resolver refuses others' with FORBIDDEN.

const ANY_KEY = 'any key';
const OWN_OR = 'own, or ';

export type Access =
  | { readonly kind: 'anyKey' }
  | { readonly kind: 'scope'; readonly scope: Scope }
  | { readonly kind: 'own'; readonly others: Scope };

/** Null: it is none of the three. */
export function parseAccess(value: unknown): Access | null {
  if (typeof value !== 'string') return null;
  if (value === ANY_KEY) return { kind: 'anyKey' };
  const isOwn = value.startsWith(OWN_OR);
  const scope = SCOPES.find((known) => known === (isOwn ? value.slice(OWN_OR.length) : value));
  if (scope === undefined) return null;
  return isOwn ? { kind: 'own', others: scope } : { kind: 'scope', scope };
}

/** The same schema, whose root fields let in only whom they may. Throws when one does not say whom: what is forgotten is found at the start. */
export function guarded(schema: GraphQLSchema): GraphQLSchema {
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values(root?.getFields() ?? {})) guard(`${root?.name}.${field.name}`, field);
  }
  return schema;
}

type Field = GraphQLField<unknown, OperationContext>;
type Resolver = GraphQLFieldResolver<unknown, OperationContext>;

function guard(name: string, field: Field): void {
  const access = parseAccess(field.extensions.access);
  if (access === null) throw new RangeError(`${name} does not say in extensions.access who may call it`);
  const check = (resolve: Resolver): Resolver => {
    return (source, args, context, info) => {
      refuseStranger(context.caller, field.name, access);
      return resolve(source, args, context, info);
    };
  };
  // Of a subscription, what is told was let through when it began.
  if (field.subscribe === undefined) field.resolve = check(field.resolve ?? defaultFieldResolver);
  else field.subscribe = check(field.subscribe);
}

function refuseStranger(caller: Caller, field: string, access: Access): void {
  if (caller.kind === 'nobody') {
    throw doorError(
      'UNAUTHENTICATED',
      'Nobody is let in without an API key. Send the header "authorization: Bearer <key>"; over WebSocket, { "Authorization": "Bearer <key>" } as connectionParams.',
    );
  }
  if (access.kind !== 'scope' || may(caller, access.scope)) return;
  throw doorError(
    'FORBIDDEN',
    `\`${field}\` needs the scope ${access.scope}, which your key does not have. Ask whoever manages the keys.`,
  );
}
