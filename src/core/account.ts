import { type AccountKey, holderOf } from './ids.ts';
import { addUsd, maxUsd, type PicoUsd, picoUsd, subtractUsd, ZERO_USD } from './money.ts';
import { nextPeriodStart, type Period, periodStart } from './period.ts';
import { type EpochMs, epochMs } from './time.ts';

/** Whose money is spent: `available` = cap − posted − held. */
export interface Account {
  readonly key: AccountKey;
  /** The operator's own cap. Null: the default cap of the gateway if `isUnderDefault`, or none at all. */
  readonly cap: PicoUsd | null;
  /** Whether the default cap applies while it has none of its own: to a user, and to a key that has paid by itself. */
  readonly isUnderDefault: boolean;
  /** Spent in this period; the sum of the account's ledger entries. */
  readonly posted: PicoUsd;
  /** Set aside for attempts under way; the sum of the account's holds. */
  readonly held: PicoUsd;
  readonly period: Period;
  /** The last boundary, or when spending was set to nothing since: `posted` counts from here. */
  readonly periodStartedAtMs: EpochMs;
}

export function makeAccount(key: AccountKey, nowMs: EpochMs): Account {
  const isUnderDefault = holderOf(key)?.level === 'user';
  return {
    key,
    cap: null,
    isUnderDefault,
    posted: ZERO_USD,
    held: ZERO_USD,
    period: 'total',
    periodStartedAtMs: nowMs,
  };
}

/** The cap in force. Null: none. */
export function capOf(account: Account, budgetDefault: PicoUsd): PicoUsd | null {
  return account.cap ?? (account.isUnderDefault ? budgetDefault : null);
}

/** The account once it was asked to pay by itself. `defaultCap` applies to it while it has none of its own; null: no cap. */
export function asPayer(account: Account, defaultCap: PicoUsd | null): Account {
  return defaultCap === null || account.isUnderDefault ? account : { ...account, isUnderDefault: true };
}

/** Whether nothing of an account has changed. */
export function isSameAccount(first: Account, second: Account): boolean {
  return (
    first.cap === second.cap &&
    first.isUnderDefault === second.isUnderDefault &&
    first.posted === second.posted &&
    first.held === second.held &&
    first.period === second.period &&
    first.periodStartedAtMs === second.periodStartedAtMs
  );
}

/** When spending starts again from zero. Null when it never does. */
export function resetsAtOf(account: Account): EpochMs | null {
  return nextPeriodStart(account.period, account.periodStartedAtMs);
}

/** The account as it stands now: spending of a period that has ended is forgotten, money that is held stays held. */
export function atPeriodOf(account: Account, nowMs: EpochMs): Account {
  const resetsAtMs = resetsAtOf(account);
  if (resetsAtMs === null || nowMs < resetsAtMs) return account;
  return { ...account, posted: ZERO_USD, periodStartedAtMs: periodStart(account.period, nowMs) };
}

/** What is still free under a cap. Null when there is no cap. Negative only after a recorded overrun or a lowered cap. */
export function availableOf(account: Account, defaultCap: PicoUsd | null): PicoUsd | null {
  const cap = account.cap ?? defaultCap;
  return cap === null ? null : picoUsd(cap - account.posted - account.held);
}

export const BUDGET_STATUSES = ['ok', 'warning', 'exhausted'] as const;

/** Below 80 %; 80 % or more posted or held; nothing left. */
export type BudgetStatus = (typeof BUDGET_STATUSES)[number];

/** One word for an account under a cap. */
export function budgetStatusOf(account: Account, cap: PicoUsd): BudgetStatus {
  const taken = account.posted + account.held;
  if (taken >= cap) return 'exhausted';
  return taken * 5n >= cap * 4n ? 'warning' : 'ok';
}

export function withHeld(account: Account, amount: PicoUsd): Account {
  if (amount < 0n) throw new RangeError(`a hold must not be negative, got ${amount}`);
  return { ...account, held: addUsd(account.held, amount) };
}

/** Ends a hold: it is given back and `spent` is posted. */
export function withSettled(account: Account, move: { readonly held: PicoUsd; readonly spent: PicoUsd }): Account {
  const held = subtractUsd(account.held, move.held);
  if (held < 0n) throw new RangeError(`held money must not be negative, got ${held}`);
  return { ...account, held, posted: addUsd(account.posted, move.spent) };
}

/**
 * Puts right what was posted for a hold when it expired. Nothing comes off a period that began after that: it was not posted
 * there. And never more comes off than is posted, as everywhere.
 */
export function withCorrected(
  account: Account,
  correction: { readonly difference: PicoUsd; readonly expiredAtMs: EpochMs },
): Account {
  const { difference, expiredAtMs } = correction;
  if (difference < 0n && expiredAtMs < account.periodStartedAtMs) return account;
  return { ...account, posted: maxUsd(ZERO_USD, addUsd(account.posted, difference)) };
}

/** A new cap and period. Spending is kept, unless it is to be forgotten on purpose. */
export function withBudget(
  account: Account,
  budget: { readonly cap: PicoUsd; readonly period: Period; readonly resetUsage: boolean },
  nowMs: EpochMs,
): Account {
  const { cap, period } = budget;
  if (budget.resetUsage) return { ...account, cap, period, periodStartedAtMs: nowMs, posted: ZERO_USD };
  const boundaryMs = period === 'total' ? account.periodStartedAtMs : periodStart(period, nowMs);
  return { ...account, cap, period, periodStartedAtMs: epochMs(Math.max(account.periodStartedAtMs, boundaryMs)) };
}

/** How full a budget is, as a fraction that can be compared exactly. A cap of zero is full, and without a cap nothing ever is. */
export interface Fullness {
  readonly taken: bigint;
  readonly cap: bigint;
}

export function fullnessOf(account: Account, defaultCap: PicoUsd): Fullness {
  const cap = capOf(account, defaultCap);
  if (cap === null) return { taken: 0n, cap: 1n };
  return cap === 0n ? { taken: 1n, cap: 1n } : { taken: account.posted + account.held, cap };
}
