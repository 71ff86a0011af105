import { availableOf, budgetStatusOf, resetsAtOf } from '../core/account.ts';
import { accountOf, bareHolderId } from '../core/ids.ts';
import { addUsd, type PicoUsd } from '../core/money.ts';
import { FOREIGN_BUDGET, mayReadBudget } from '../gateway/caller.ts';
import type { Budget } from '../gateway/gateway.ts';
import { InvalidInputErrorRef } from './api-error.ts';
import { parseHolder } from './budget-shape.ts';
import { builder } from './builder.ts';
import { makeConnection } from './connection.ts';
import { doorError } from './door-error.ts';
import { unrecorded } from './failure-shape.ts';
import { budgetGlobalId } from './global-id.ts';
import { pageArgs, pageOrThrow, parsePage } from './page.ts';
import { BudgetRef, NodeRef } from './refs.ts';

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

export const BudgetLevelEnum = builder.enumType('BudgetLevel', {
  description:
    'Whose budget it is. One request spends several: of the user, of the key and of the team. Each must be able to pay it.',
  values: {
    USER: { value: 'user', description: 'Of a user.' },
    KEY: { value: 'key', description: 'Of a line of API keys: a key keeps its budget when it is rotated.' },
    TEAM: { value: 'team', description: 'Of a team of keys.' },
  },
});

export const LEVEL_WORDS = 'Whose budget is meant: then `userId` is the id of the user, of the key, or of the team.';

BudgetRef.implement({
  description: 'What a user may spend. Invariant: spent and reserved together never exceed the limit.',
  interfaces: [NodeRef],
});

builder.objectFields(BudgetRef, (t) => ({
  id: t.id({ description: 'Global id.', resolve: ({ holder }) => budgetGlobalId(holder) }),
  level: t.field({ type: BudgetLevelEnum, description: 'Whose budget it is.', resolve: ({ holder }) => holder.level }),
  userId: t.string({ description: 'External user id.', resolve: ({ holder }) => holder.id }),
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
    args: {
      userId: t.arg.string({ description: 'External user id.' }),
      level: t.arg({ type: BudgetLevelEnum, description: LEVEL_WORDS, defaultValue: 'user' }),
    },
    resolve: (_root, args, { gateway, caller }) => {
      const { userId = null, level } = args;
      // Without authentication a caller is nobody in particular, and has no budget of their own.
      if (userId === null) return gateway.ownBudgetOf(caller, level ?? 'user');
      const holder = parseHolder(userId, level ?? 'user');
      if (!mayReadBudget(caller, accountOf(holder))) throw doorError('FORBIDDEN', FOREIGN_BUDGET);
      return gateway.findBudget(holder);
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
    level: t.field({ type: BudgetLevelEnum, description: LEVEL_WORDS, defaultValue: 'user' }),
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
      const level = input.level ?? 'user';
      const wish = {
        holder: { level, id: bareHolderId(userId, level) },
        limit,
        period: input.period ?? 'total',
        resetUsage: input.resetUsage ?? false,
      };
      const answer = await gateway.setBudget(wish, caller);
      return answer.kind === 'set' ? answer : unrecorded(answer);
    },
  }),
);
