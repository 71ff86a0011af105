import { availableOf, budgetStatusOf, resetsAtOf } from '../core/account.ts';
import { userAccount } from '../core/ids.ts';
import { addUsd, type PicoUsd } from '../core/money.ts';
import { FOREIGN_BUDGET, mayReadBudget, userIdOf } from '../gateway/caller.ts';
import type { Budget } from '../gateway/gateway.ts';
import { InvalidInputErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { makeConnection } from './connection.ts';
import { doorError } from './door-error.ts';
import { unrecorded } from './failure-shape.ts';
import { budgetGlobalId } from './global-id.ts';
import { pageArgs, pageOrThrow, parsePage } from './page.ts';
import { BudgetRef, NodeRef } from './refs.ts';
import { parseUserId } from './text.ts';

const BudgetStatusEnum = builder.enumType('BudgetStatus', {
  description: 'States of a budget.',
  values: {
    OK: { value: 'ok', description: 'Below 80 %.' },
    WARNING: { value: 'warning', description: '80 % or more is spent or reserved.' },
    EXHAUSTED: { value: 'exhausted', description: 'Nothing is left.' },
  },
});

const BudgetPeriodEnum = builder.enumType('BudgetPeriod', {
  description: 'How often a budget starts again; boundaries are UTC.',
  values: {
    TOTAL: { value: 'total', description: 'Never.' },
    DAILY: { value: 'daily', description: 'At midnight.' },
    WEEKLY: { value: 'weekly', description: 'On Monday at midnight.' },
    MONTHLY: { value: 'monthly', description: 'On the first at midnight.' },
  },
});

BudgetRef.implement({
  description: 'What a user may spend. Invariant: spent and reserved together never exceed the limit.',
  interfaces: [NodeRef],
});

builder.objectFields(BudgetRef, (t) => ({
  id: t.id({ description: 'Global id.', resolve: ({ userId }) => budgetGlobalId(userId) }),
  userId: t.exposeString('userId', { description: 'External user id.' }),
  limitUsd: t.field({
    type: 'Decimal',
    description: 'Most that may be spent in one period.',
    resolve: ({ cap }) => cap,
  }),
  spentUsd: t.field({
    type: 'Decimal',
    description: 'Spent in this period.',
    resolve: ({ account }) => account.posted,
  }),
  reservedUsd: t.field({
    type: 'Decimal',
    description: 'Held for requests that are running now.',
    resolve: ({ account }) => account.held,
  }),
  remainingUsd: t.field({
    type: 'Decimal',
    description: 'Still free: limit less spent less reserved.',
    resolve: remainingOf,
  }),
  utilization: t.float({ description: 'Spent and reserved as a share of the limit.', resolve: utilizationOf }),
  status: t.field({
    type: BudgetStatusEnum,
    description: 'One word for its state.',
    resolve: ({ account, cap }) => budgetStatusOf(account, cap),
  }),
  period: t.field({
    type: BudgetPeriodEnum,
    description: 'How often it starts again.',
    resolve: ({ account }) => account.period,
  }),
  periodStartedAt: t.field({
    type: 'DateTime',
    description: 'When this period began.',
    resolve: ({ account }) => account.periodStartedAtMs,
  }),
  resetsAt: t.field({
    type: 'DateTime',
    description: 'When it starts again; null when it never does.',
    nullable: true,
    resolve: ({ account }) => resetsAtOf(account),
  }),
}));

/** Below zero only after a limit was lowered under what is spent. */
function remainingOf({ account, cap }: Budget): PicoUsd {
  return availableOf(account, cap) ?? cap;
}

/** A budget of nothing is always full. */
function utilizationOf({ account, cap }: Budget): number {
  return cap === 0n ? 1 : Number(addUsd(account.posted, account.held)) / Number(cap);
}

const BudgetConnection = makeConnection('Budget', BudgetRef, {
  page: 'Page of budgets.',
  edges: 'Budgets with their cursors.',
  nodes: 'The budgets alone.',
  pageInfo: 'Where this page ends.',
  edge: 'A budget and its cursor.',
  cursor: 'Cursor of this budget.',
  node: 'The budget.',
});

builder.queryField('budget', (t) =>
  t.field({
    type: BudgetRef,
    description: "The budget of a user. Without an argument: the caller's own. Other users need scope `budgets:read`.",
    nullable: true,
    extensions: { access: 'own, or budgets:read' },
    args: { userId: t.arg.string({ description: 'External user id.' }) },
    resolve: (_root, args, { gateway, caller }) => {
      const wanted = args.userId ?? null;
      const userId = wanted === null ? userIdOf(caller) : parseUserId(wanted);
      // Without authentication a caller is nobody in particular, and has no budget of their own.
      if (userId === null) return null;
      if (!mayReadBudget(caller, userAccount(userId))) throw doorError('FORBIDDEN', FOREIGN_BUDGET);
      return gateway.budgetOf(userId);
    },
  }),
);

builder.queryField('budgets', (t) =>
  t.field({
    type: BudgetConnection,
    description: 'All budgets, fullest first. Needs scope `budgets:read`.',
    extensions: { access: 'budgets:read' },
    args: {
      ...pageArgs(),
      status: t.arg({ type: [BudgetStatusEnum], description: 'Keeps only budgets in one of these states.' }),
    },
    resolve: async (_root, { status, ...page }, { gateway }) =>
      pageOrThrow(await gateway.pageBudgets(parsePage(page), status ?? [])),
  }),
);

const SetBudgetInput = builder.inputType('SetBudgetInput', {
  description: 'A new or changed budget.',
  fields: (t) => ({
    userId: t.string({ description: 'External user id.', required: true }),
    limitUsd: t.field({ type: 'Decimal', description: 'Most that may be spent in one period.', required: true }),
    period: t.field({ type: BudgetPeriodEnum, description: 'How often it starts again.', defaultValue: 'total' }),
    resetUsage: t.boolean({
      description: 'Set what was spent to zero. Off: a change of the limit never forgives spending.',
      defaultValue: false,
    }),
  }),
});

const SetBudgetSuccess = builder
  .objectRef<{ readonly kind: 'set'; readonly budget: Budget }>('SetBudgetSuccess')
  .implement({
    description: 'The budget is in force on every replica.',
    fields: (t) => ({ budget: t.expose('budget', { type: BudgetRef, description: 'The budget.' }) }),
  });

const SetBudgetResult = builder.unionType('SetBudgetResult', {
  description: 'Outcome of `setBudget`.',
  types: [SetBudgetSuccess, InvalidInputErrorRef],
  resolveType: ({ kind }) => (kind === 'set' ? 'SetBudgetSuccess' : 'InvalidInputError'),
});

builder.mutationField('setBudget', (t) =>
  t.field({
    type: SetBudgetResult,
    description: "Creates or changes a user's budget. Needs scope `budgets:write`.",
    extensions: { access: 'budgets:admin' },
    args: { input: t.arg({ type: SetBudgetInput, description: 'The new budget.', required: true }) },
    resolve: async (_root, { input }, { gateway, caller }) => {
      const { userId, limitUsd: limit } = input;
      const wish = { userId, limit, period: input.period ?? 'total', resetUsage: input.resetUsage ?? false };
      const answer = await gateway.setBudget(wish, caller);
      return answer.kind === 'set' ? answer : unrecorded(answer);
    },
  }),
);
