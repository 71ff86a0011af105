import type { Account } from '../core/account.ts';
import { userOf } from '../core/ids.ts';
import type { Budget } from '../gateway/gateway.ts';
import type { OperationContext } from './context.ts';

/** The budget behind an account as it stood. The gateway is asked only for a default cap, which an account does not carry. */
export async function budgetAsItStood(account: Account, context: OperationContext): Promise<Budget> {
  const userId = userOf(account.key);
  if (userId === null) throw new RangeError('the anonymous account has no budget');
  const cap = account.cap ?? (await context.gateway.budgetOf(userId)).cap;
  return { account, userId, cap };
}
