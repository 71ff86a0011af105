import type { Account } from '../core/account.ts';
import { type AccountKey, bareHolderId, type Holder, type Level } from '../core/ids.ts';
import type { Budget } from '../gateway/gateway.ts';
import type { OperationContext } from './context.ts';
import { parseUserId } from './text.ts';

/** The budget behind an account that a cap stopped, as it stood. */
export function budgetAsItStood(account: Account, { gateway }: OperationContext): Budget {
  const budget = gateway.budgetIn(account);
  if (budget === null) throw new RangeError(`${account.key} is under no cap`);
  return budget;
}

/** That of a payer as it is now. */
export async function presentBudget(account: AccountKey, { gateway }: OperationContext): Promise<Budget> {
  const budget = await gateway.payersBudget(account);
  if (budget === null) throw new RangeError(`${account} is under no cap`);
  return budget;
}

/** Whose budget is meant. Throws what is wrong with the id. */
export function parseHolder(id: string, level: Level): Holder {
  return { level, id: bareHolderId(parseUserId(id), level) };
}
