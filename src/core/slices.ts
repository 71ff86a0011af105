import type { Account } from './account.ts';
import type { Breaker } from './breaker.ts';
import { type PicoUsd, picoUsd } from './money.ts';
import { affordableBy, meansOf, type Paying } from './paying.ts';
import { type EpochMs, later } from './time.ts';

/**
 * What a replica reserves to go on while the store is away. A slice is money of one account, or of several that pay together: a hold
 * without an attempt, leased like any other. All slices of one account are at most a part of what it has left, so that little is out of
 * reach, and they go back when it comes near its cap.
 */
export const SLICE = {
  /** The slices of one account at one replica are at most what is left, divided by this. */
  partsOfAvailable: 20,
  /** Smaller slices pay for nothing: 0.0001 USD. */
  amountMin: picoUsd(100_000_000n),
  /** It goes back when less than this many times its amount is left beside it. */
  timesLeftMin: 5n,
  /** For payers that were admitted on this replica so recently, and no more of them than this. */
  activeMs: 120_000,
  accountsMax: 500,
  /** Asked for in one round, whose accounts are locked meanwhile. The others come with the next rounds. */
  takenAtOnceMax: 50,
  /** The reserve may be used for so long after it was asked for; then the store ends a slice, a little later. */
  leaseMs: 60_000,
  graceMs: 30_000,
  renewEveryMs: 15_000,
  lookEveryMs: 2_000,
} as const;

/**
 * How many slots of a rolling limit a replica reserves: as many as it needed lately, within these shares of the limit, and only
 * while `shareLeft` of it stay free. When less than `shareScarce` is free they go back.
 */
export const RESERVED_SLOTS = { shareMin: 0.05, shareMax: 0.25, shareLeft: 0.25, shareScarce: 0.1 } as const;

/** Whether one who pays has so little left beside a slice that it should go back. What they hold includes the slice. */
export function isNearCap(
  paying: Paying,
  of: { readonly defaultCap: PicoUsd | null; readonly slice: PicoUsd },
): boolean {
  const available = affordableBy(meansOf(paying, of.defaultCap));
  return available !== null && available < of.slice * SLICE.timesLeftMin;
}

/** How many slots to reserve, when so many were used in the time of one lease. At least one. */
export function slotsWanted(limit: number, usedLately: number): number {
  const { shareMin, shareMax } = RESERVED_SLOTS;
  return Math.max(1, Math.ceil(limit * shareMin), Math.min(usedLately, Math.floor(limit * shareMax)));
}

/** How many slots must stay free for everybody when some are reserved. */
export function slotsToLeave(limit: number): number {
  return Math.ceil(limit * RESERVED_SLOTS.shareLeft);
}

/** Whether so few slots are free that reserved ones should go back. */
export function areSlotsScarce(limit: number, free: number): boolean {
  return free < limit * RESERVED_SLOTS.shareScarce;
}

/**
 * The account as it stands while only its slice can be spent. `known` is what the store said, with the slice among what is held;
 * `used` is what the attempts on the slice have spent, and what is held for them.
 */
export function accountOnSlice(
  known: Account,
  slice: PicoUsd,
  used: { readonly posted: PicoUsd; readonly held: PicoUsd },
): Account {
  return {
    ...known,
    posted: picoUsd(known.posted + used.posted),
    held: picoUsd(known.held - slice + used.held),
  };
}

/** A breaker as a replica may use it alone. The one probe of the fleet is not its to send, so what is not closed stays open. */
export function breakerApart(breaker: Breaker, nowMs: EpochMs): Breaker {
  const { circuit } = breaker;
  if (circuit.kind === 'closed') return breaker;
  const endMs = later(nowMs, SLICE.leaseMs);
  const reopensAtMs = circuit.kind === 'open' && circuit.reopensAtMs > endMs ? circuit.reopensAtMs : endMs;
  return { ...breaker, circuit: { kind: 'open', fails: circuit.fails, reopensAtMs } };
}
