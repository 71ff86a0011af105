import type { AccountKey, HoldId, ProviderKey, RequestId } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { Payers, Paying } from '../core/paying.ts';
import type { ProviderState } from '../core/provider-state.ts';
import type { EpochMs } from '../core/time.ts';
import type { Settlement } from './admission.ts';

/** A slice to be taken, of the money of all payers, under an id that the replica chose. */
export interface SliceWish extends Payers {
  readonly id: HoldId;
  /** Applies while the payer's account has no cap of its own. Null: no cap. */
  readonly defaultCap: PicoUsd | null;
}

/** A slot of a provider's rolling limit that nobody else takes before `freeAtMs`. That instant is also the proof that it is ours. */
export interface ReservedSlot {
  readonly provider: ProviderKey;
  readonly slot: number;
  readonly freeAtMs: EpochMs;
}

/** What a replica wants to hold in reserve from now on. Whatever slices of it are in neither `keep` nor `take` are given back. */
export interface ReserveWish {
  readonly keep: readonly HoldId[];
  /** Those of `keep` whose lease begins anew. */
  readonly renew: readonly HoldId[];
  /** At most one for the same payers. Not taken where too little is left to one of them. */
  readonly take: readonly SliceWish[];
  readonly amountMax: PicoUsd;
  readonly slots: {
    readonly renew: readonly ReservedSlot[];
    /** Never used, so free at once. */
    readonly giveBack: readonly ReservedSlot[];
    /** Up to `count` more, as long as `leave` stay free. */
    readonly take: readonly { readonly provider: ProviderKey; readonly count: number; readonly leave: number }[];
  };
}

/** What is reserved now. What was to be renewed and is not here has ended. */
export interface Reserved {
  readonly nowMs: EpochMs;
  /** Taken or renewed. What the accounts hold includes the slice. */
  readonly slices: readonly (Paying & { readonly id: HoldId; readonly amount: PicoUsd })[];
  /** Taken or renewed. */
  readonly slots: readonly ReservedSlot[];
  /** How many slots of each provider are free for everybody. */
  readonly free: ReadonlyMap<ProviderKey, number>;
  readonly providers: readonly ProviderState[];
}

/** Money and slots that one replica holds in advance. */
export interface ReservePort {
  /** Takes, renews and gives back in one act. */
  reserve(wish: ReserveWish): Promise<Reserved>;
}

/** An attempt that is paid from a slice, as the store has to know it afterwards. */
export interface Draw {
  readonly holdId: HoldId;
  readonly slice: HoldId;
  /** The payer's. Who pays along is who the slice is of. */
  readonly account: AccountKey;
  readonly requestId: RequestId;
  /** 1 for the first of its request. */
  readonly attempt: number;
  readonly provider: ProviderKey;
  readonly model: string;
  /** Held for it within the slice. */
  readonly amount: PicoUsd;
  /** The breaker's, at the admission. */
  readonly epoch: number;
  readonly startedAtMs: EpochMs;
}

/** The acts around an attempt that is paid from a slice: kept now, told to the store when it is there. */
export interface DrawPort {
  /** As `dispatch`: resolves when it is on record that the call is about to be sent. */
  dispatchDraw(draw: Draw): Promise<void>;
  /** Keeps how it ended. Resolves when the store knows, however long that takes. Never rejects. */
  settleDraw(draw: Draw, settlement: Settlement): Promise<void>;
  /** What is still reserved could not be given back: the next start does it. */
  leaveForNextStart(): void;
}
