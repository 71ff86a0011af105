import type { AccountKey } from '../core/ids.ts';
import type { ChatOutcome } from '../core/outcome.ts';
import type { Payers } from '../core/paying.ts';

/** What chats and operators tell of accounts. Nobody waits for it, and it asks the store nothing. */
export interface WatchedBudgets {
  /** Something may have changed. */
  touch(account: AccountKey): void;
  /** A chat that they pay has ended. */
  noteEnd(payers: Payers, outcome: ChatOutcome): void;
}
