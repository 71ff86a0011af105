import type { KeyAnswer, KeyClaim, KeyEnd, KeyHolder } from '../core/idempotency.ts';

/** Who runs the request of an idempotency key, and how it ended. A key belongs to one account. */
export interface IdempotencyPort {
  /** Takes a key that is free, or tells who has it and how that ended: in one act, so that of many at once one gets it. */
  claimKey(claim: KeyClaim): Promise<KeyAnswer>;
  /**
   * Ends a claim. Resolves when that cannot be lost any more. False, and nothing changes, when it is known to be no longer this
   * request's: its lease ran out and another took over, or it was ended before.
   */
  endClaim(holder: KeyHolder, end: KeyEnd): Promise<boolean>;
  /** Deletes at most `countMax` keys that have expired. Answers how many. */
  forgetKeys(countMax: number): Promise<number>;
}
