import type { KeyEnd, KeyHolder } from '../core/idempotency.ts';
import type { HoldId, ReplicaId } from '../core/ids.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Settled, Settlement } from './admission.ts';
import type { Draw } from './reserve.ts';

/** An act that must not be lost once it was decided. */
export type KeepableAct =
  | { readonly kind: 'settle'; readonly settlement: Settlement }
  | { readonly kind: 'spend'; readonly draw: Draw; readonly settlement: Settlement }
  | { readonly kind: 'record'; readonly record: RequestRecord }
  | { readonly kind: 'endClaim'; readonly holder: KeyHolder; readonly end: KeyEnd };

/** What became of an act that was carried out. `claimLost`: another request had taken over the idempotency key. */
export type CarriedOut = Settled | { readonly kind: 'done' } | { readonly kind: 'claimLost' };

/** A call that may have left under a hold of its own, or paid from a slice. `slice` is null for the first. */
export interface SentCall {
  readonly holdId: HoldId;
  readonly slice: HoldId | null;
}

/** Acts as text: kept on a replica's own disk, and carried out by whoever finds them there, now or after a crash. */
export interface ReplayPort {
  /** Writes an act down so that this version, or a later one, can carry it out. */
  encode(act: KeepableAct): string;
  /** Carries out what `encode` wrote. Idempotent: a second time changes nothing. */
  carryOut(text: string): Promise<CarriedOut>;
  /**
   * Gives back what a replica that is gone still held, except for the holds in `sent`, and slices from which a call in `sent`
   * was paid whose end the store does not know: the others never got as far as a call, so nothing can have been billed.
   * Answers how many there were.
   */
  voidUnsent(replica: ReplicaId, sent: readonly SentCall[]): Promise<number>;
}
