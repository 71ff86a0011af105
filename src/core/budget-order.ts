import { type Account, type Fullness, fullnessOf } from './account.ts';
import { type AccountKey, accountKey } from './ids.ts';
import type { PicoUsd } from './money.ts';

/** Where an account stands among all, fullest first; the key breaks ties. */
export interface BudgetPosition extends Fullness {
  readonly key: AccountKey;
}

/** Negative when the first stands before the second: it is fuller, or as full with a smaller key. Exact. */
export function compareFullness(first: BudgetPosition, second: BudgetPosition): number {
  const one = first.taken * second.cap;
  const other = second.taken * first.cap;
  if (one !== other) return one > other ? -1 : 1;
  if (first.key === second.key) return 0;
  return first.key < second.key ? -1 : 1;
}

export function budgetPositionOf(account: Account, defaultCap: PicoUsd): BudgetPosition {
  return { ...fullnessOf(account, defaultCap), key: account.key };
}

/** The cursor of an account: opaque to callers. */
export function budgetCursorOf(account: Account, defaultCap: PicoUsd): string {
  const { taken, cap, key } = budgetPositionOf(account, defaultCap);
  return `${taken}.${cap}.${encodeURIComponent(key)}`;
}

const CURSOR = /^(\d{1,19})\.(\d{1,19})\.(.{1,2000})$/;

/** Null for a text that is no cursor of budgets. */
export function parseBudgetCursor(text: string): BudgetPosition | null {
  const match = CURSOR.exec(text);
  const [, taken = '', cap = '', key = ''] = match ?? [];
  if (match === null) return null;
  try {
    return { taken: BigInt(taken), cap: BigInt(cap), key: accountKey(decodeURIComponent(key)) };
  } catch {
    // Percent signs that spell no UTF-8: it came from somewhere else.
    return null;
  }
}
