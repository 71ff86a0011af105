import type { ApiKey, CallerLimits, UsedKey } from '../core/api-key.ts';
import {
  type AccountKey,
  ANONYMOUS,
  type ApiKeyId,
  accountOf,
  apiKeyId,
  type Holder,
  holderOf,
  keyAccount,
  type Level,
  teamAccount,
  userAccount,
} from '../core/ids.ts';
import { type PicoUsd, ZERO_USD } from '../core/money.ts';
import { allows, type Scope } from '../core/scope.ts';
import { EVERYBODY, type View } from '../core/view.ts';

/** Who is asking, as far as the door could tell. */
export type Caller =
  /** Authentication is off: everybody may do everything. */
  | { readonly kind: 'open' }
  /** Nobody: no credential came. May do nothing that needs one. */
  | { readonly kind: 'nobody' }
  /** Whoever holds the operator's `ADMIN_KEY`. */
  | { readonly kind: 'admin' }
  | { readonly kind: 'key'; readonly key: ApiKey };

export const OPEN_CALLER: Caller = { kind: 'open' };

export const NOBODY: Caller = { kind: 'nobody' };

export const ADMIN_CALLER: Caller = { kind: 'admin' };

/** The line under which the operator's own key spends and is logged. No random id is that short. */
export const ADMIN_LINE = apiKeyId('admin');

/** What a caller may do. */
export function scopesOf(caller: Caller): readonly Scope[] {
  switch (caller.kind) {
    case 'open':
    case 'admin':
      return ['admin'];
    case 'nobody':
      return [];
    case 'key':
      return caller.key.scopes;
    default:
      return caller satisfies never;
  }
}

export function may(caller: Caller, scope: Scope): boolean {
  return allows(scopesOf(caller), scope);
}

/** The key that a caller comes with. Null: authentication is off, or nobody comes. */
export function usedKeyOf(caller: Caller): UsedKey | null {
  switch (caller.kind) {
    case 'open':
    case 'nobody':
      return null;
    case 'admin':
      return { id: ADMIN_LINE, line: ADMIN_LINE };
    case 'key':
      return { id: caller.key.id, line: caller.key.line };
    default:
      return caller satisfies never;
  }
}

/** The line of keys that a caller comes with. Null: authentication is off, or nobody comes. */
export function lineOf(caller: Caller): ApiKeyId | null {
  return usedKeyOf(caller)?.line ?? null;
}

const NO_LIMITS: CallerLimits = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };

/** What a caller may use at most. */
export function limitsOf(caller: Caller): CallerLimits {
  return caller.kind === 'key' ? caller.key.limits : NO_LIMITS;
}

/** The user whose money a caller spends by default. Null: nobody in particular. */
export function userIdOf(caller: Caller): string | null {
  return caller.kind === 'key' ? caller.key.userId : null;
}

/** Whose money a request spends. */
export interface Payer {
  readonly account: AccountKey;
  /** Null: nobody in particular. */
  readonly userId: string | null;
  /** Applies while the account has no cap of its own. Null: no cap. */
  readonly defaultCap: PicoUsd | null;
  /** Accounts that pay the same once more, each under the cap it has: all of them, or the request is not made. */
  readonly also: readonly AccountKey[];
}

/** Whether a caller's word on whom to bill counts: only with leave to act for others, or for the caller's own user. */
export function mayBill(caller: Caller, userId: string): boolean {
  return may(caller, 'chat:on-behalf-of') || userId === userIdOf(caller);
}

/**
 * The one place that decides who pays. A claimed user counts where `mayBill` says so; otherwise the key's own user pays, and a key
 * without one pays by itself. The key's and its team's accounts pay along. With authentication off and no user, the anonymous
 * account pays, which has no cap.
 */
export function payerOf(caller: Caller, claimed: string | null, budgetDefault: PicoUsd): Payer {
  const userId = claimed !== null && mayBill(caller, claimed) ? claimed : userIdOf(caller);
  const line = lineOf(caller);
  const teamId = caller.kind === 'key' ? caller.key.teamId : null;
  const team = teamId === null ? [] : [teamAccount(teamId)];
  if (userId !== null) {
    const own = line === null ? [] : [keyAccount(line)];
    return { account: userAccount(userId), userId, defaultCap: budgetDefault, also: [...own, ...team] };
  }
  return line === null
    ? { account: ANONYMOUS, userId: null, defaultCap: null, also: [] }
    : { account: keyAccount(line), userId: null, defaultCap: budgetDefault, also: team };
}

/** The account of a key that bills another user than its own. Null: the caller acts for itself, or is the operator, who sets the budgets. */
export function proxyAccountOf(caller: Caller, claimed: string | null): AccountKey | null {
  if (caller.kind !== 'key' || claimed === null || claimed === caller.key.userId) return null;
  return mayBill(caller, claimed) ? keyAccount(caller.key.line) : null;
}

/** The one place that decides whose requests a caller sees, in the log, in numbers and live. */
export function viewOf(caller: Caller): View {
  if (may(caller, 'requests:read-all')) return EVERYBODY;
  return may(caller, 'requests:read') ? ownViewOf(caller) : { kind: 'nobody' };
}

/** The one place that decides whose requests a caller may stop: its own, which it need not be allowed to read; an operator all. */
export function reachOf(caller: Caller): View {
  return may(caller, 'admin') ? EVERYBODY : ownViewOf(caller);
}

function ownViewOf(caller: Caller): View {
  const payer = ownPayerOf(caller);
  const line = lineOf(caller);
  return payer === null || line === null ? { kind: 'nobody' } : { kind: 'one', account: payer.account, line };
}

/**
 * Whether a caller may know how an account stands: one that its own requests are paid from, or with leave any. Whoever may spend any
 * user's money may know what is left of it: each answer and refusal would tell.
 */
export function mayReadBudget(caller: Caller, account: AccountKey): boolean {
  const own = ownPayerOf(caller);
  if (may(caller, 'chat:on-behalf-of') && holderOf(account)?.level === 'user') return true;
  return may(caller, 'budgets:read') || (own !== null && [own.account, ...own.also].includes(account));
}

/** What somebody is told for whom `mayReadBudget` is false. */
export const FOREIGN_BUDGET =
  "Others' budgets need the scope budgets:read, which your key does not have. Leave userId out for your own.";

/** Whose budgets somebody sees: one account's, or all. */
export type BudgetScope = { readonly kind: 'one'; readonly account: AccountKey } | { readonly kind: 'everybody' };

/** The one place that decides whose budgets a caller watches: without a holder its own, or with leave all. Null: none. */
export function budgetScopeOf(caller: Caller, holder: Holder | null): BudgetScope | null {
  if (holder === null && may(caller, 'budgets:read')) return { kind: 'everybody' };
  const account = holder === null ? (ownPayerOf(caller)?.account ?? null) : accountOf(holder);
  return account !== null && mayReadBudget(caller, account) ? { kind: 'one', account } : null;
}

/** Who pays for a caller by default. Null: nobody in particular. */
function ownPayerOf(caller: Caller): Payer | null {
  return lineOf(caller) === null ? null : payerOf(caller, null, ZERO_USD);
}

/** Whose budget is a caller's own, at a level. That of a user is what a request of the caller spends first. Null: there is none. */
export function ownHolderOf(caller: Caller, level: Level): Holder | null {
  if (level === 'user') return holderOf(payerOf(caller, null, ZERO_USD).account);
  if (level === 'team')
    return caller.kind === 'key' && caller.key.teamId !== null ? { level, id: caller.key.teamId } : null;
  const line = lineOf(caller);
  return line === null ? null : { level, id: line };
}
