import { type Account, budgetStatusOf, makeAccount } from '../../src/core/account.ts';
import { type AccountKey, accountOf, type Holder, holderOf } from '../../src/core/ids.ts';
import { budgetFrom } from '../../src/gateway/budgets.ts';
import { ownHolderOf } from '../../src/gateway/caller.ts';
import type { Budget, Gateway } from '../../src/gateway/gateway.ts';
import type { FakeClock } from './clock.ts';
import { invalidInput, pageOf } from './gateway-answers.ts';
import { usd } from './gateway-data.ts';

const BUDGET_DEFAULT = usd('1.00');

type FakeBudgets = Pick<
  Gateway,
  'findBudget' | 'payersBudget' | 'ownBudgetOf' | 'budgetIn' | 'pageBudgets' | 'setBudget'
>;

/** Budgets that nobody spends. */
export function makeFakeBudgets(clock: Pick<FakeClock, 'now'>): FakeBudgets {
  const accounts = new Map<AccountKey, Account>();
  const budgetOf = (holder: Holder): Budget => {
    const account = accounts.get(accountOf(holder)) ?? makeAccount(accountOf(holder), clock.now());
    return { account, holder, cap: account.cap ?? BUDGET_DEFAULT };
  };
  return {
    findBudget: async (holder) => budgetOf(holder),
    payersBudget: async (account) => budgetOf(holderOf(account)!),
    async ownBudgetOf(caller, level) {
      const holder = ownHolderOf(caller, level);
      return holder === null ? null : budgetOf(holder);
    },
    budgetIn: (account) => budgetFrom(account, BUDGET_DEFAULT),
    async pageBudgets(page, status) {
      const found = [...accounts.keys()]
        .map((key) => budgetOf(holderOf(key)!))
        .filter(({ account, cap }) => status.length === 0 || status.includes(budgetStatusOf(account, cap)));
      return pageOf(found, page, (budget) => `of-${budget.holder.id}`);
    },
    async setBudget({ holder, limit, period, resetUsage }) {
      if (limit < 0n) return invalidInput([{ path: ['limitUsd'], message: 'must not be negative' }]);
      const { account } = budgetOf(holder);
      accounts.set(account.key, { ...account, cap: limit, period, posted: resetUsage ? usd('0') : account.posted });
      return { kind: 'set', budget: budgetOf(holder) };
    },
  };
}
