import type { BooksDifference } from '../core/books.ts';
import type { AccountKey } from '../core/ids.ts';

/** How much one step may read, and how long after the beginning of one round the next may begin. */
export interface BooksStep {
  readonly accountsMax: number;
  /** A ledger that is longer is summed over several steps. */
  readonly entriesMax: number;
  readonly restMs: number;
}

/** `differencesKnown` counts the accounts that did not balance when they were looked at last, by whichever replica. */
export type BooksCheck =
  | {
      readonly kind: 'checked';
      /** How many accounts were looked at to the end of their ledger. */
      readonly accounts: number;
      readonly differences: readonly BooksDifference[];
      /** Accounts that did not balance when they were looked at before, and do now. */
      readonly balancedAgain: readonly AccountKey[];
      /** The last account was reached: the next step begins a new round. */
      readonly isRoundDone: boolean;
      readonly differencesKnown: number;
    }
  /** Another replica is at it, or the last round began too short a while ago. */
  | { readonly kind: 'notDue'; readonly differencesKnown: number };

/** The books: for every account, `held` is the sum of its open holds, and `posted` the sum of its ledger entries. */
export interface BooksPort {
  /** Looks at the next accounts, one replica at a time; each account at one instant. Corrects nothing. */
  checkBooks(step: BooksStep): Promise<BooksCheck>;
}
