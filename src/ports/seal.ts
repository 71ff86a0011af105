import type { AccountKey, RequestId } from '../core/ids.ts';

/** What hides an answer from everybody who does not have the idempotency key that it is kept under: the store has neither the key nor the answer. */
export interface Seal {
  /** Stands in the store in place of the key. */
  readonly name: string;
  /** A digest of what is asked, which nobody can compare with a guess who does not have the key. */
  digest(text: string): string;
  /** Hides how this request ended. */
  close(request: RequestId, text: string): string;
  /** Throws when that was not closed with the same key for the same request. */
  open(request: RequestId, sealed: string): string;
}

/** Makes the seal of a key, from nothing but the key and whose it is: every replica makes the same one. */
export type MakeSeal = (of: { readonly account: AccountKey; readonly key: string }) => Seal;
