import { type Account, asPayer, capOf } from '../core/account.ts';
import { CHAT_LIMITS } from '../core/chat-request.ts';
import { accountOf, holderOf } from '../core/ids.ts';
import { AMOUNT_MAX, formatUsd, type PicoUsd } from '../core/money.ts';
import type { InputIssue } from '../core/outcome.ts';
import { ownHolderOf, payerOf } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { Budget, Gateway, SetBudget } from './gateway.ts';
import { actorOf, invalidInput } from './operations.ts';

/** What users, keys and teams may spend: reading and setting. */
export function makeBudgets(
  deps: GatewayDeps,
): Pick<Gateway, 'findBudget' | 'payersBudget' | 'ownBudgetOf' | 'budgetIn' | 'pageBudgets' | 'setBudget'> {
  const { store, budgetDefault, watchedBudgets } = deps;
  return {
    async findBudget(holder) {
      return budgetFrom(await store.account(accountOf(holder)), budgetDefault);
    },
    async payersBudget(account) {
      return budgetFrom(asPayer(await store.account(account), budgetDefault), budgetDefault);
    },
    async ownBudgetOf(caller, level) {
      const holder = ownHolderOf(caller, level);
      if (holder === null) return null;
      const account = await store.account(accountOf(holder));
      // Before its first request the store does not know that a key pays by itself.
      const payer = payerOf(caller, null, budgetDefault);
      const paysFirst = payer.account === account.key;
      return budgetFrom(paysFirst ? asPayer(account, payer.defaultCap) : account, budgetDefault);
    },
    budgetIn: (account) => budgetFrom(account, budgetDefault),
    async pageBudgets(page, status) {
      const answer = await store.accounts({ page, defaultCap: budgetDefault, status });
      if (answer.kind === 'badCursor') return answer;
      const items = answer.page.items.map(({ cursor, item }) => ({ cursor, item: listed(item, budgetDefault) }));
      return { kind: 'page', page: { ...answer.page, items } };
    },
    async setBudget(wish, caller) {
      const issues = faultsOf(wish);
      if (issues.length > 0) return invalidInput(issues);
      const { holder, limit: cap, period, resetUsage } = wish;
      const account = await store.setBudget(
        { account: accountOf(holder), cap, period, resetUsage },
        actorOf(caller, null),
      );
      watchedBudgets.touch(account.key);
      return { kind: 'set', budget: { account, holder, cap } };
    },
  };
}

/** The budget that an account is spent under. Null: no cap is in force. */
export function budgetFrom(account: Account, budgetDefault: PicoUsd): Budget | null {
  const holder = holderOf(account.key);
  const cap = capOf(account, budgetDefault);
  return holder === null || cap === null ? null : { account, holder, cap };
}

function listed(account: Account, budgetDefault: PicoUsd): Budget {
  const budget = budgetFrom(account, budgetDefault);
  if (budget === null) throw new RangeError(`the store lists ${account.key}, which is under no cap`);
  return budget;
}

function faultsOf({ holder, limit }: SetBudget): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  const { length } = holder.id;
  if (length === 0 || length > CHAT_LIMITS.userIdCharsMax) {
    issues.push({
      path: ['userId'],
      message: `must have 1 to ${CHAT_LIMITS.userIdCharsMax} characters, got ${length}`,
    });
  }
  if (holder.id.includes('\u0000') || !holder.id.isWellFormed()) {
    issues.push({ path: ['userId'], message: 'holds characters that cannot be stored' });
  }
  if (limit < 0n || limit > AMOUNT_MAX) {
    issues.push({
      path: ['limitUsd'],
      message: `must be from 0 to ${formatUsd(AMOUNT_MAX)} USD, got ${formatUsd(limit)}`,
    });
  }
  return issues;
}
