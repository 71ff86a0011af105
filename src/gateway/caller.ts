import { type AccountKey, ANONYMOUS, userAccount } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';

/** Who is asking, as far as the door could tell. While authentication is off everybody may do everything. */
export interface Caller {
  readonly kind: 'open';
  readonly scopes: readonly string[];
}

export const OPEN_CALLER: Caller = { kind: 'open', scopes: ['admin'] };

/** Whose money a request spends. */
export interface Payer {
  readonly account: AccountKey;
  /** Null: nobody in particular. */
  readonly userId: string | null;
  /** Applies while the account has no cap of its own. Null: no cap. */
  readonly defaultCap: PicoUsd | null;
}

/** The one place that decides who pays. Today the claimed user does, and without one the anonymous account, which has no cap. */
export function payerOf(_caller: Caller, userId: string | null, budgetDefault: PicoUsd): Payer {
  return userId === null
    ? { account: ANONYMOUS, userId: null, defaultCap: null }
    : { account: userAccount(userId), userId, defaultCap: budgetDefault };
}

/** The one place that decides whose live requests a caller is shown. Today there is only the caller who may see all. */
export function maySee(caller: Caller, _request: { readonly account: AccountKey }): boolean {
  return caller.kind === 'open';
}

/** The one place that decides whether a caller is shown all live requests, whosever they are. */
export function maySeeAll(caller: Caller): boolean {
  return caller.kind === 'open';
}

/** Whose budgets somebody sees: one account's, or those of all users. */
export type BudgetScope = { readonly kind: 'one'; readonly account: AccountKey } | { readonly kind: 'everybody' };

/** The one place that decides whose budgets a caller watches. Today everybody may see all; without a user, all are meant. */
export function budgetScopeOf(_caller: Caller, userId: string | null): BudgetScope {
  return userId === null ? { kind: 'everybody' } : { kind: 'one', account: userAccount(userId) };
}
