import type { Bound } from '../core/bound.ts';
import type { Transition, Verdict } from '../core/breaker.ts';
import type { AccountKey, HoldId, ProviderKey, RequestId } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { Payers, Paying } from '../core/paying.ts';
import type { ProviderRefusal, ProviderState } from '../core/provider-state.ts';
import type { Simulation } from '../core/simulation.ts';
import type { EpochMs } from '../core/time.ts';
import type { UsageSource } from '../core/usage.ts';

/** Everything that planning reads, at one instant of the store's clock. */
export interface Snapshot extends Paying {
  readonly nowMs: EpochMs;
  readonly providers: readonly ProviderState[];
}

export interface AdmissionCandidate {
  readonly provider: ProviderKey;
  readonly model: string;
  readonly bound: Bound;
}

/** A wish to make one attempt on the first candidate that can take it, and that all payers can pay. */
export interface Admission extends Payers {
  readonly requestId: RequestId;
  /** 1 for the first. */
  readonly attempt: number;
  /** The id that the hold, and the probe if it is one, will have. */
  readonly holdId: HoldId;
  /** Applies while the payer's account has no cap of its own. Null: no cap. */
  readonly defaultCap: PicoUsd | null;
  /** Most this attempt may be held at, whatever the accounts could afford. Null: no such limit. */
  readonly ceiling: PicoUsd | null;
  /** In the order of the plan. */
  readonly candidates: readonly AdmissionCandidate[];
  /** How long the attempt can take at most: the probe's lease is 5 s longer, the hold's 30 s. */
  readonly attemptMs: number;
}

/** Leave to make one attempt: the breaker's epoch, a rate slot and the hold, taken in one act. */
export interface Permit {
  readonly holdId: HoldId;
  readonly provider: ProviderKey;
  readonly model: string;
  readonly held: PicoUsd;
  /** The output limit that the held money covers. */
  readonly outputTokens: number;
  readonly isProbe: boolean;
  readonly admittedAtMs: EpochMs;
  /** To be played on this attempt. Null when none is in force. */
  readonly simulation: Simulation | null;
}

/** Why a candidate was passed over by `admit`. */
export type AdmissionRefusal = {
  readonly provider: ProviderKey;
  readonly model: string;
  readonly why:
    | ProviderRefusal
    | {
        readonly kind: 'overBudget';
        /** The one of those who pay that cannot. */
        readonly account: AccountKey;
        readonly required: PicoUsd;
        readonly available: PicoUsd;
        readonly held: PicoUsd;
      }
    | { readonly kind: 'overCostLimit'; readonly required: PicoUsd };
};

/** `refusals` are the candidates passed over, in the order of the plan. The accounts are as they stand after the act. */
export type Admitted =
  | (Paying & {
      readonly kind: 'admitted';
      readonly permit: Permit;
      readonly refusals: readonly AdmissionRefusal[];
    })
  | (Paying & { readonly kind: 'refused'; readonly refusals: readonly AdmissionRefusal[] });

/** What an attempt is charged. `nothing` needs evidence that nothing was billed. `hold` posts the whole hold: the truth is not known. */
export type Charge =
  | { readonly kind: 'spent'; readonly amount: PicoUsd; readonly source: UsageSource }
  | { readonly kind: 'hold' }
  | { readonly kind: 'nothing' };

/** The end of one permit: money, breaker and throttle in one act. */
export interface Settlement {
  readonly holdId: HoldId;
  readonly charge: Charge;
  readonly verdict: Verdict;
  /** Chance for the breaker's jitter, 0 up to 1. */
  readonly jitter: number;
  /** The provider asked us to wait this long. Null when it did not. */
  readonly throttledForMs: number | null;
  /** The provider refused our credentials, and said this. Null when it did not. */
  readonly setAside: string | null;
}

/** The accounts are as they stand afterwards. A second settle of a hold changes nothing. */
export type Settled =
  /** It is in the journal, and carried out as soon as it can be. The accounts are as this replica knows them; null when it does not. */
  | { readonly kind: 'kept'; readonly paying: Paying | null }
  | (Paying & {
      readonly kind: 'settled';
      readonly posted: PicoUsd;
      /** How far the posted amount lies above the hold. Zero unless a provider broke its own limit. */
      readonly overrun: PicoUsd;
      readonly transition: Transition | null;
      /** The verdict came too late to count. */
      readonly isStale: boolean;
    })
  | { readonly kind: 'alreadySettled' }
  | { readonly kind: 'unknownHold' };

/** A hold that nobody settled in time: posted in full, to be corrected by a late settle. */
export interface ExpiredHold {
  readonly holdId: HoldId;
  readonly requestId: RequestId;
  /** The payer's. It was posted to those that pay along as well. */
  readonly account: AccountKey;
  readonly amount: PicoUsd;
}

/** The acts around one attempt. */
export interface AdmissionPort {
  /** Reads what planning needs. Changes nothing, an account that does not exist yet included. */
  look(payers: Payers): Promise<Snapshot>;
  /** Takes breaker, slot and money for the first candidate that has all three, of all who pay: in one act, or not at all. */
  admit(admission: Admission): Promise<Admitted>;
  /** The call under this permit is about to be sent. Resolves when that is on record: from then on something may be billed. */
  dispatch(permit: Permit): Promise<void>;
  /** Ends a permit. Idempotent by the hold's id. Resolves when it cannot be lost any more. */
  settle(settlement: Settlement): Promise<Settled>;
  /** Counts one simulated failure as played. False when the simulation has ended meanwhile: then none may be played. */
  claimSimulatedFailure(provider: ProviderKey): Promise<boolean>;
  /** Lets holds whose attempts are still under way live on. Those that have ended stay ended. */
  renew(holds: readonly HoldId[]): Promise<void>;
  /** Ends at most `countMax` holds that are due: posted in full, never given back. */
  reap(countMax: number): Promise<readonly ExpiredHold[]>;
}
