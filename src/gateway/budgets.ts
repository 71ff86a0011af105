import { type Account, availableOf } from '../core/account.ts';
import { CHAT_LIMITS } from '../core/chat-request.ts';
import { userAccount, userOf } from '../core/ids.ts';
import { AMOUNT_MAX, formatUsd, type PicoUsd } from '../core/money.ts';
import type { InputIssue } from '../core/outcome.ts';
import type { GatewayDeps } from './deps.ts';
import type { Budget, Gateway, SetBudget } from './gateway.ts';
import { actorOf, invalidInput } from './operations.ts';

/** What users may spend: reading and setting. */
export function makeBudgets(
  deps: GatewayDeps,
): Pick<Gateway, 'budgetOf' | 'availableIn' | 'pageBudgets' | 'setBudget'> {
  const { store, budgetDefault, watchedBudgets } = deps;
  return {
    async budgetOf(userId) {
      return budgetFrom(await store.account(userAccount(userId)), budgetDefault);
    },
    availableIn: (account) => availableOf(account, userOf(account.key) === null ? null : budgetDefault),
    async pageBudgets(page, status) {
      const answer = await store.accounts({ page, defaultCap: budgetDefault, status });
      if (answer.kind === 'badCursor') return answer;
      const items = answer.page.items.map(({ cursor, item }) => ({ cursor, item: budgetFrom(item, budgetDefault) }));
      return { kind: 'page', page: { ...answer.page, items } };
    },
    async setBudget(wish, caller) {
      const issues = faultsOf(wish);
      if (issues.length > 0) return invalidInput(issues);
      const { userId, limit: cap, period, resetUsage } = wish;
      const account = await store.setBudget(
        { account: userAccount(userId), cap, period, resetUsage },
        actorOf(caller, null),
      );
      watchedBudgets.touch(account.key);
      return { kind: 'set', budget: budgetFrom(account, budgetDefault) };
    },
  };
}

/** The budget that a user's account is spent under. */
export function budgetFrom(account: Account, budgetDefault: PicoUsd): Budget {
  return { account, userId: userOf(account.key) ?? account.key, cap: account.cap ?? budgetDefault };
}

function faultsOf(wish: SetBudget): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  const { length } = wish.userId;
  if (length === 0 || length > CHAT_LIMITS.userIdCharsMax) {
    issues.push({
      path: ['userId'],
      message: `must have 1 to ${CHAT_LIMITS.userIdCharsMax} characters, got ${length}`,
    });
  }
  if (wish.userId.includes('\u0000') || !wish.userId.isWellFormed()) {
    issues.push({ path: ['userId'], message: 'holds characters that cannot be stored' });
  }
  if (wish.limit < 0n || wish.limit > AMOUNT_MAX) {
    issues.push({
      path: ['limitUsd'],
      message: `must be from 0 to ${formatUsd(AMOUNT_MAX)} USD, got ${formatUsd(wish.limit)}`,
    });
  }
  return issues;
}
