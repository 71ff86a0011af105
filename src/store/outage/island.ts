import { makeAccount } from '../../core/account.ts';
import { accountKey, type HoldId, holdId, type ReplicaId } from '../../core/ids.ts';
import { ZERO_USD } from '../../core/money.ts';
import type { Payers, Paying } from '../../core/paying.ts';
import type { ProviderState } from '../../core/provider-state.ts';
import { makeRateWindow, type RateWindow, takeSlot } from '../../core/rate-window.ts';
import type { Registry } from '../../core/registry.ts';
import { accountOnSlice, breakerApart } from '../../core/slices.ts';
import { type EpochMs, epochMs } from '../../core/time.ts';
import type { Admission, AdmissionRefusal, Admitted, Settlement, Snapshot } from '../../ports/admission.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Draw } from '../../ports/reserve.ts';
import { admit, settle } from '../memory/admission.ts';
import { adoptRegistry, type MemoryState, makeMemoryState, stateOf } from '../memory/state.ts';
import type { ReserveBook, Slice } from './reserve-book.ts';

/** What the store knew of everybody when it last answered. */
export type Seen = Pick<Snapshot, 'nowMs' | 'providers'>;

/** An attempt that is paid from a slice, and under way. */
export interface OpenDraw {
  readonly draw: Draw;
  readonly slice: Slice;
  /** Its call may have left: the store must be told of its end. */
  isSent: boolean;
}

/**
 * A store of what this replica has reserved, with core's own rules: each slice is an account with the slice for its cap, the
 * reserved slots are the rolling limits, breakers are as last seen, without a probe. Nothing waits here.
 */
export interface Island {
  see(seen: Seen): void;
  /** As the store did. */
  adopt(registry: Registry): void;
  /** What planning needs: the accounts as the store last knew them, with their slice free to spend. Null without a slice. */
  look(payers: Payers): Snapshot | null;
  /** Null when the reserve does not do: then only the store itself could say more. */
  admit(admission: Admission): Admitted | null;
  /** Null for a permit that was not given here. */
  find(hold: HoldId): OpenDraw | null;
  /** Ends an attempt, and answers the accounts afterwards. Its slice stays open for it until `close`. */
  settle(open: OpenDraw, settlement: Settlement): Paying;
  /** The store knows of it, or need not. */
  close(open: OpenDraw): void;
}

interface Parts {
  readonly state: MemoryState;
  readonly book: ReserveBook;
  readonly newHoldId: () => HoldId;
  readonly open: Map<HoldId, OpenDraw>;
}

export function makeIsland(of: {
  readonly registry: Registry;
  readonly replica: ReplicaId;
  readonly clock: Clock;
  readonly book: ReserveBook;
  readonly newHoldId: () => HoldId;
}): Island {
  const { clock, book } = of;
  let seen: { readonly nowMs: EpochMs; readonly atMs: number } = { nowMs: clock.now(), atMs: clock.elapsedMs() };
  /** Not taken over yet. Null: nothing new. */
  let news: readonly ProviderState[] | null = null;
  /** The store's clock, as far as it can be known without it. */
  const now = () => epochMs(Math.floor(seen.nowMs + clock.elapsedMs() - seen.atMs));
  const state = makeMemoryState({ registry: of.registry, replica: of.replica, now });
  const parts = { state, book, newHoldId: of.newHoldId, open: new Map() };
  const prepare = () => {
    if (news !== null) takeOver(parts, news);
    news = null;
    for (const [provider, known] of state.providers) known.window = windowOf(book.slots.left(provider), now());
  };
  return {
    see({ nowMs, providers }) {
      seen = { nowMs, atMs: clock.elapsedMs() };
      news = providers;
    },
    adopt: (registry) => adoptRegistry(state, registry),
    look(payers) {
      const slice = book.sliceOf(payers);
      if (slice === null) return null;
      prepare();
      // A limit is not used up because this replica reserved little of it.
      const providers = Array.from(state.providers.keys(), (key) => ({ ...stateOf(state, key), slotFreeAtMs: null }));
      return { nowMs: now(), providers, ...payingOf(parts, slice) };
    },
    admit(admission) {
      const slice = book.sliceOf(admission);
      if (slice === null) return null;
      prepare();
      return admitOn(parts, slice, admission);
    },
    find: (hold) => parts.open.get(hold) ?? null,
    settle: (open, settlement) => settleOn(parts, open, settlement),
    close({ slice }) {
      slice.openCount -= 1;
    },
  };
}

/** Providers as the store last knew them; and what was spent from slices that are gone is forgotten. */
function takeOver({ state, book }: Parts, providers: readonly ProviderState[]): void {
  for (const { provider, breaker, ...rest } of providers) {
    const known = state.providers.get(provider);
    if (known === undefined) continue;
    known.breaker = breakerApart(breaker, state.now());
    known.isEnabled = rest.isEnabled;
    known.throttledUntilMs = rest.throttledUntilMs;
    known.setAside = rest.setAside;
    known.simulation = rest.simulation;
  }
  for (const key of state.accounts.keys()) if (!book.has(holdId(key))) state.accounts.delete(key);
}

function admitOn(parts: Parts, slice: Slice, admission: Admission): Admitted | null {
  const { state, book, open } = parts;
  const key = accountKey(slice.id);
  if (!state.accounts.has(key)) state.accounts.set(key, { ...makeAccount(key, state.now()), cap: slice.amount });
  // Under an id of its own: the store may have carried out the admission whose answer was lost, and is asked to take it back.
  const id = parts.newHoldId();
  const admitted = admit(state, { ...admission, holdId: id, account: key, also: [], defaultCap: null });
  if (admitted.kind === 'refused') {
    return admitted.refusals.some(isOurs) ? null : { ...admitted, ...payingOf(parts, slice) };
  }
  const { permit } = admitted;
  const hold = state.holds.get(id);
  if (hold === undefined) throw new RangeError(`no hold ${id} was made`);
  slice.isUsed = true;
  slice.openCount += 1;
  book.slots.use(permit.provider);
  book.noteSpender(slice);
  const { requestId, attempt } = admission;
  const draw = {
    holdId: id,
    slice: slice.id,
    account: slice.account,
    requestId,
    attempt,
    provider: permit.provider,
    model: permit.model,
    amount: permit.held,
    epoch: hold.epoch,
    startedAtMs: hold.startedAtMs,
  };
  open.set(id, { draw, slice, isSent: false });
  return { ...admitted, ...payingOf(parts, slice) };
}

function settleOn(parts: Parts, { draw, slice }: OpenDraw, settlement: Settlement): Paying {
  settle(parts.state, settlement);
  parts.state.holds.delete(draw.holdId);
  parts.open.delete(draw.holdId);
  return payingOf(parts, slice);
}

/** Refused for want of what this replica reserved, not of what there is. */
function isOurs({ why }: AdmissionRefusal): boolean {
  return why.kind === 'overBudget' || why.kind === 'rateLimited';
}

function payingOf({ state }: Parts, { id, known, amount }: Slice): Paying {
  const used = state.accounts.get(accountKey(id)) ?? { posted: ZERO_USD, held: ZERO_USD };
  const also = known.also.map((account) => accountOnSlice(account, amount, used));
  return { account: accountOnSlice(known.account, amount, used), also };
}

/** A rolling limit in which so many slots are left. */
function windowOf(left: number, nowMs: EpochMs): RateWindow {
  if (left > 0) return makeRateWindow(left);
  const taken = takeSlot(makeRateWindow(1), nowMs);
  if (taken.kind === 'full') throw new RangeError('an empty rolling limit has room');
  return taken.window;
}
