import { type Caller, scopesOf, userIdOf } from '../gateway/caller.ts';
import { builder } from './builder.ts';
import { ApiKeyRef, BudgetRef, RateLimitRef } from './refs.ts';

// While authentication is off a caller is nobody in particular: without a user of their own, and without a budget.
const ViewerRef = builder.objectRef<Caller>('Viewer').implement({
  description: 'Who is asking.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKeyRef,
      description: 'The key used; null when authentication is off.',
      nullable: true,
      resolve: (caller) => (caller.kind === 'key' ? caller.key : null),
    }),
    scopes: t.stringList({ description: 'What the caller may do.', resolve: (caller) => [...scopesOf(caller)] }),
    userId: t.string({ description: 'The user billed by default.', nullable: true, resolve: userIdOf }),
    budget: t.field({
      type: BudgetRef,
      description: "That user's budget.",
      nullable: true,
      resolve: (caller, _args, { gateway }) => gateway.ownBudgetOf(caller, 'user'),
    }),
    rateLimit: t.field({
      type: RateLimitRef,
      description: "The caller's own rate limit.",
      nullable: true,
      resolve: (caller, _args, { gateway }) => gateway.rateLimitOf(caller),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    description: 'Who is asking, with which scopes, budget and limits.',
    extensions: { access: 'any key' },
    resolve: (_root, _args, { caller }) => caller,
  }),
);
