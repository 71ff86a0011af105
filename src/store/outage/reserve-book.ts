import type { HoldId } from '../../core/ids.ts';
import type { PicoUsd } from '../../core/money.ts';
import type { Payers, Paying } from '../../core/paying.ts';
import type { Registry } from '../../core/registry.ts';
import { isNearCap, SLICE } from '../../core/slices.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Reserved, ReserveWish, SliceWish } from '../../ports/reserve.ts';
import { type ActiveAccounts, makeActiveAccounts, type Spender, spenderNameOf } from './active-accounts.ts';
import { makeSlotBook, type SlotBook } from './slot-book.ts';

/** Money that this replica holds in advance, of one account, or of several that pay together. */
export interface Slice extends Spender {
  readonly id: HoldId;
  readonly amount: PicoUsd;
  /** As the store said it before anything was paid from the slice, which is among what is held. */
  known: Paying;
  /** Attempts may be paid from it until then, by the monotonic clock. */
  untilMs: number;
  /** Something was paid from it: when the store is back it is replaced by a whole one. */
  isUsed: boolean;
  /** Nothing is paid from it any more: it goes back when nothing is open on it. */
  isRetired: boolean;
  /** Attempts on it that are under way, or that the store has not been told of. */
  openCount: number;
}

/** A wish, and what is to be remembered of it. */
export interface Asked {
  readonly wish: ReserveWish;
  readonly isRenewal: boolean;
  /** By the monotonic clock. A lease counts from before it was asked for, so that it ends here before it ends at the store. */
  readonly sentAtMs: number;
}

/** What this replica holds in reserve, and for whom. It decides what to ask for, and asks nobody. */
export interface ReserveBook {
  readonly slots: SlotBook;
  /** An attempt of theirs was admitted, by whomever. */
  noteSpender(spender: Spender): void;
  /** The slice from which these payers may be served now. Null: none. */
  sliceOf(payers: Payers): Slice | null;
  has(id: HoldId): boolean;
  /** How many payers can be served now, and until when at most. Null: none. */
  reach(): { readonly accounts: number; readonly untilMs: number } | null;
  /** What to ask for now. Null: nothing. What goes back by it is not used any more from now on. */
  next(): Asked | null;
  /** Asks for nothing, and gives everything back that nothing is open on. Null: there is nothing to give back. */
  last(): Asked | null;
  told(asked: Asked, reserved: Reserved): void;
}

interface Book {
  readonly clock: Pick<Clock, 'elapsedMs'>;
  readonly amountMax: PicoUsd;
  readonly newSliceId: () => HoldId;
  readonly slots: SlotBook;
  readonly active: ActiveAccounts;
  readonly slices: Map<HoldId, Slice>;
  /** The slice of each spender that is not retired. */
  readonly current: Map<string, Slice>;
  slotsUntilMs: number;
  renewedAtMs: number;
  /** A wish has no answer yet. If it never gets one, it may have been done all the same. */
  isUnsure: boolean;
}

export function makeReserveBook(of: {
  readonly clock: Pick<Clock, 'elapsedMs'>;
  readonly registry: Registry;
  readonly amountMax: PicoUsd;
  readonly newSliceId: () => HoldId;
}): ReserveBook {
  const { registry, ...given } = of;
  const book: Book = {
    ...given,
    slots: makeSlotBook(registry),
    active: makeActiveAccounts(of.clock),
    slices: new Map(),
    current: new Map(),
    slotsUntilMs: Number.NEGATIVE_INFINITY,
    renewedAtMs: Number.NEGATIVE_INFINITY,
    isUnsure: false,
  };
  return {
    slots: book.slots,
    noteSpender: (spender) => book.active.note(spender),
    sliceOf(payers) {
      const slice = book.current.get(spenderNameOf(payers));
      return slice !== undefined && isUsable(book, slice) ? slice : null;
    },
    has: (id) => book.slices.has(id),
    reach: () => reachOf(book),
    next: () => next(book),
    last: () => last(book),
    told: (asked, reserved) => told(book, asked, reserved),
  };
}

function isUsable(book: Book, slice: Slice): boolean {
  const nowMs = book.clock.elapsedMs();
  return !slice.isRetired && nowMs < slice.untilMs && nowMs < book.slotsUntilMs;
}

function reachOf(book: Book) {
  const usable = [...book.current.values()].filter((slice) => isUsable(book, slice));
  if (usable.length === 0) return null;
  return {
    accounts: usable.length,
    untilMs: Math.min(book.slotsUntilMs, Math.max(...usable.map((one) => one.untilMs))),
  };
}

function next(book: Book): Asked | null {
  for (const [name, slice] of book.current) if (slice.isUsed || !book.active.has(name)) retire(book, slice);
  const isDropping = dropRetired(book);
  const spenders = book.active.take((name) => book.current.has(name));
  const isAnything = book.slices.size + spenders.length > 0 || !book.slots.isEmpty();
  const isRenewal = isAnything && book.clock.elapsedMs() - book.renewedAtMs >= SLICE.renewEveryMs;
  if (!isRenewal && !isDropping && !book.isUnsure && spenders.length === 0) return null;
  return ask(book, { isRenewal, take: spenders.map((spender) => ({ ...spender, id: book.newSliceId() })) });
}

function last(book: Book): Asked | null {
  for (const slice of book.slices.values()) retire(book, slice);
  const isDropping = dropRetired(book);
  const isNeeded = isDropping || book.isUnsure || book.slices.size > 0 || !book.slots.isEmpty();
  return isNeeded ? ask(book, { isRenewal: true, take: [] }) : null;
}

function ask(book: Book, of: { readonly isRenewal: boolean; readonly take: readonly SliceWish[] }): Asked {
  const { isRenewal, take } = of;
  const keep = [...book.slices.keys()];
  const slots = isRenewal
    ? book.slots.wish(book.current.size + take.length > 0)
    : { renew: [], giveBack: [], take: [] };
  book.isUnsure = true;
  const wish = { keep, renew: isRenewal ? keep : [], take, amountMax: book.amountMax, slots };
  return { wish, isRenewal, sentAtMs: book.clock.elapsedMs() };
}

function told(book: Book, { wish, isRenewal, sentAtMs }: Asked, reserved: Reserved): void {
  const untilMs = sentAtMs + SLICE.leaseMs;
  book.isUnsure = false;
  const alive = new Map(reserved.slices.map((slice) => [slice.id, slice]));
  for (const spender of wish.take) {
    const taken = alive.get(spender.id);
    if (taken === undefined) continue;
    const { id, amount } = taken;
    const slice = { ...spender, id, amount, known: taken, untilMs, isUsed: false, isRetired: false, openCount: 0 };
    book.slices.set(id, slice);
    book.current.set(spenderNameOf(slice), slice);
    book.active.noteTaken(spenderNameOf(slice));
  }
  for (const id of wish.renew) {
    const slice = book.slices.get(id);
    if (slice === undefined) continue;
    const renewed = alive.get(id);
    if (renewed === undefined) retire(book, slice);
    else renew(book, slice, { known: renewed, untilMs });
  }
  if (!isRenewal) return;
  book.slots.told(reserved);
  book.slotsUntilMs = untilMs;
  book.renewedAtMs = sentAtMs;
}

function renew(book: Book, slice: Slice, by: { readonly known: Paying; readonly untilMs: number }): void {
  slice.untilMs = by.untilMs;
  if (slice.isUsed) return;
  slice.known = by.known;
  if (isNearCap(by.known, { defaultCap: slice.defaultCap, slice: slice.amount })) retire(book, slice);
}

function retire(book: Book, slice: Slice): void {
  slice.isRetired = true;
  const name = spenderNameOf(slice);
  if (book.current.get(name) === slice) book.current.delete(name);
}

/** Slices that nothing is open on are not named to the store any more, and so are given back. True when there are any. */
function dropRetired(book: Book): boolean {
  const done = [...book.slices.values()].filter((slice) => slice.isRetired && slice.openCount === 0);
  for (const { id } of done) book.slices.delete(id);
  return done.length > 0;
}
