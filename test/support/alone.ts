import type { AccountKey } from '../../src/core/ids.ts';
import type { Payers } from '../../src/core/paying.ts';

/** Pays by itself: nobody pays along. */
export function alone(account: AccountKey): Payers {
  return { account, also: [] };
}
