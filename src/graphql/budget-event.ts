import type { BudgetNotice } from '../gateway/gateway.ts';
import { BudgetLevelEnum, LEVEL_WORDS } from './budget.ts';
import { parseHolder } from './budget-shape.ts';
import { builder } from './builder.ts';
import { doorError } from './door-error.ts';
import { BudgetRef } from './refs.ts';

const BudgetEventKindEnum = builder.enumType('BudgetEventKind', {
  description: 'Changes of a budget.',
  values: {
    SNAPSHOT: { value: 'present', description: 'The present state, sent at the start.' },
    REACHED_50_PERCENT: { value: 'reachedHalf', description: 'Half is gone.' },
    REACHED_80_PERCENT: { value: 'reachedFourFifths', description: 'Four fifths are gone.' },
    EXHAUSTED: { value: 'exhausted', description: 'All is gone.' },
    REFUSED: { value: 'refused', description: 'A request was refused.' },
    RESET: { value: 'reset', description: 'A new period began.' },
    CHANGED: { value: 'changed', description: 'An operator changed it.' },
  },
});

const BudgetEventRef = builder.objectRef<BudgetNotice>('BudgetEvent').implement({
  description: 'A change of a budget.',
  fields: (t) => ({
    budget: t.expose('budget', { type: BudgetRef, description: 'The budget after the change.' }),
    kind: t.expose('kind', { type: BudgetEventKindEnum, description: 'What changed.' }),
    occurredAt: t.expose('atMs', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

builder.subscriptionField('budgetEvents', (t) =>
  t.field({
    type: BudgetEventRef,
    description: 'Budget changes and threshold crossings (50 %, 80 %, 100 %). Other users need scope `budgets:read`.',
    extensions: { access: 'own, or budgets:read' },
    args: {
      userId: t.arg.string({ description: 'External user id; all users when empty and permitted.' }),
      level: t.arg({ type: BudgetLevelEnum, description: LEVEL_WORDS, defaultValue: 'user' }),
    },
    subscribe: async (_root, { userId, level }, { gateway, caller, signal }) => {
      const holder = userId === null || userId === undefined ? null : parseHolder(userId, level ?? 'user');
      const answer = await gateway.watchBudgets({ caller, holder, signal });
      if (answer.kind === 'foreign') throw doorError('FORBIDDEN', answer.message);
      if (answer.kind === 'tooManyWatchers') throw doorError('TOO_MANY_WATCHERS', answer.message);
      return answer.notices;
    },
    resolve: (notice) => notice,
  }),
);
