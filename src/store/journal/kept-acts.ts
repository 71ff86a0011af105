import { type Account, withSettled } from '../../core/account.ts';
import type { HoldId } from '../../core/ids.ts';
import { type PicoUsd, ZERO_USD } from '../../core/money.ts';
import { JournalUnavailable } from '../../core/unavailable.ts';
import type { Admission, Admitted, Charge, Settled, Settlement } from '../../ports/admission.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { CarriedOut, KeepableAct } from '../../ports/replay.ts';
import type { DrawPort } from '../../ports/reserve.ts';
import type { DurableStore, Store } from '../../ports/store.ts';
import type { Drainer } from './drainer.ts';
import type { Journal, Place } from './journal.ts';

/** When an admission without an answer is taken back for the second time, and how long the store gets while the disk fails. */
const WAITS = { takeBackMs: 2_000, withoutDiskMs: 250 } as const;

/** The end of a permit that was never used. */
const GIVEN_BACK = {
  charge: { kind: 'nothing' },
  verdict: { kind: 'neutral' },
  jitter: 0,
  throttledForMs: null,
  setAside: null,
} as const;

/** What this replica knows of a permit that is in use. */
interface Open {
  readonly held: PicoUsd;
  readonly account: Account;
  /** Of the entry that it was sent. Null before. */
  sent: Place | null;
}

export interface KeptParts {
  readonly store: DurableStore;
  readonly journal: Journal;
  readonly drainer: Drainer;
  readonly clock: Clock;
  readonly log: Log;
  /** Told how a settle ended that was kept first. */
  readonly told: (settlement: Settlement, settled: Settled) => void;
}

type KeptActs = Pick<Store, 'admit' | 'dispatch' | 'settle' | 'record' | 'endClaim'> &
  Omit<DrawPort, 'leaveForNextStart'>;

/** The acts that must not be lost: kept in the journal first, and carried out from there. */
export function makeKeptActs(parts: KeptParts): KeptActs {
  const { journal } = parts;
  const open = new Map<HoldId, Open>();
  return {
    ...makeKeptDraws(parts),
    async admit(admission) {
      const fault = journal.fault();
      if (fault !== null) throw new JournalUnavailable(fault);
      const admitted = await admitOrTakeBack(parts, admission);
      if (admitted.kind === 'admitted') {
        open.set(admission.holdId, { held: admitted.permit.held, account: admitted.account, sent: null });
      }
      return admitted;
    },
    async dispatch({ holdId }) {
      const sent = journal.append({ kind: 'sent', holdId, slice: null });
      const known = open.get(holdId);
      if (known !== undefined) known.sent = sent;
      await journal.safe();
    },
    async settle(settlement) {
      const { holdId } = settlement;
      const known = open.get(holdId);
      open.delete(holdId);
      void keepSettle(parts, settlement, known?.sent ?? null).then((settled) => parts.told(settlement, settled));
      return { kind: 'kept', account: known === undefined ? null : accountAfter(known, settlement.charge) };
    },
    record: (record) => keepSafe(parts, { kind: 'record', record }),
    async endClaim(holder, end) {
      await keepSafe(parts, { kind: 'endClaim', holder, end });
      return true;
    },
  };
}

/** Resolves when the act cannot be lost any more, and with it everything that was kept before. */
async function keepSafe(parts: KeptParts, what: KeepableAct): Promise<void> {
  const { journal, clock, log } = parts;
  const act = parts.store.encode(what);
  const done = carryOut(parts, act, [journal.append({ kind: 'act', act })]);
  try {
    await journal.safe();
  } catch (error) {
    // The disk failed with an answer in hand: the store itself may still keep it.
    log.error('an act could not be kept in the journal', { act: what.kind, error: String(error) });
    const late = Promise.withResolvers<void>();
    using _timer = clock.after(WAITS.withoutDiskMs, late.resolve);
    await Promise.race([done, late.promise]);
  }
}

/** The same for attempts that are paid from slices. */
function makeKeptDraws(parts: KeptParts): Omit<DrawPort, 'leaveForNextStart'> {
  const { store, journal } = parts;
  /** Of the entries that calls were sent. */
  const sent = new Map<HoldId, Place>();
  return {
    async dispatchDraw({ holdId, slice }) {
      const fault = journal.fault();
      if (fault !== null) throw new JournalUnavailable(fault);
      sent.set(holdId, journal.append({ kind: 'sent', holdId, slice }));
      await journal.safe();
    },
    async settleDraw(draw, settlement) {
      const place = sent.get(draw.holdId) ?? null;
      sent.delete(draw.holdId);
      const act = store.encode({ kind: 'spend', draw, settlement });
      parts.told(settlement, await keepEnd(parts, { holdId: draw.holdId, act }, place));
    },
  };
}

/**
 * When no answer comes in time, the act may have been done all the same: then the hold and the probe are given back, on the
 * evidence that nothing was sent. Twice, because it may only be done after the first time.
 */
async function admitOrTakeBack(parts: KeptParts, admission: Admission): Promise<Admitted> {
  try {
    return await parts.store.admit(admission);
  } catch (error) {
    const settlement = { ...GIVEN_BACK, holdId: admission.holdId };
    void keepSettle(parts, settlement, null).then((settled) => {
      if (settled.kind === 'unknownHold') {
        parts.clock.after(WAITS.takeBackMs, () => void keepSettle(parts, settlement, null));
      }
    });
    throw error;
  }
}

/** Resolves when the store has it. `sent` is the place of the entry that this one answers. */
function keepSettle(parts: KeptParts, settlement: Settlement, sent: Place | null): Promise<Settled> {
  const act = parts.store.encode({ kind: 'settle', settlement });
  return keepEnd(parts, { holdId: settlement.holdId, act }, sent);
}

async function keepEnd(
  parts: KeptParts,
  end: { readonly holdId: HoldId; readonly act: string },
  sent: Place | null,
): Promise<Settled> {
  const place = parts.journal.append({ kind: 'settle', ...end });
  const carried = await carryOut(parts, end.act, sent === null ? [place] : [place, sent]);
  if (carried.kind === 'done') throw new RangeError('a settle was carried out as something else');
  return carried;
}

async function carryOut({ drainer, journal }: KeptParts, act: string, places: readonly Place[]): Promise<CarriedOut> {
  const carried = await drainer.add(act);
  for (const place of places) journal.release(place);
  return carried;
}

/** The account as this replica knows it: as it was at the admission, with this hold ended. */
function accountAfter({ account, held }: Open, charge: Charge): Account {
  return withSettled(account, { held, spent: spentOf(charge, held) });
}

function spentOf(charge: Charge, held: PicoUsd): PicoUsd {
  switch (charge.kind) {
    case 'spent':
      return charge.amount;
    case 'hold':
      return held;
    case 'nothing':
      return ZERO_USD;
    default:
      return charge satisfies never;
  }
}
