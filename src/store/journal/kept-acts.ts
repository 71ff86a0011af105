import { withSettled } from '../../core/account.ts';
import type { HoldId } from '../../core/ids.ts';
import { type PicoUsd, ZERO_USD } from '../../core/money.ts';
import type { Paying } from '../../core/paying.ts';
import { JournalUnavailable } from '../../core/unavailable.ts';
import type { Charge } from '../../ports/admission.ts';
import type { DrawPort } from '../../ports/reserve.ts';
import type { Store } from '../../ports/store.ts';
import type { Place } from './journal.ts';
import { type KeptParts, keepEnd, keepSafe, keepSettle } from './keep.ts';
import type { OwnRecords } from './own-records.ts';
import { makeTakeBack, type TakeBack } from './take-back.ts';

const CLAIM_LOST =
  'an answer was not kept under its idempotency key: another request had taken the key over, or it was kept before';

/** What this replica knows of a permit that is in use. */
interface Open {
  readonly held: PicoUsd;
  /** As they were when it was admitted. */
  readonly paying: Paying;
  /** Of the entry that it was sent. Null before. */
  sent: Place | null;
}

type KeptActs = Pick<Store, 'admit' | 'dispatch' | 'settle' | 'record' | 'endClaim'> &
  Omit<DrawPort, 'leaveForNextStart'>;

interface KeptActsParts extends KeptParts {
  readonly ownRecords: OwnRecords;
}

/** The acts that must not be lost: kept in the journal first, and carried out from there. Disposed: nothing is taken back any more. */
export function makeKeptActs(parts: KeptActsParts): Disposable & { readonly acts: KeptActs } {
  const takeBack = makeTakeBack(parts);
  return { acts: keptActs(parts, takeBack), [Symbol.dispose]: takeBack[Symbol.dispose] };
}

function keptActs(parts: KeptActsParts, takeBack: TakeBack): KeptActs {
  const { journal } = parts;
  const open = new Map<HoldId, Open>();
  return {
    ...makeKeptDraws(parts),
    async admit(admission) {
      const fault = journal.fault();
      if (fault !== null) throw new JournalUnavailable(fault);
      const admitted = await parts.store.admit(admission).catch((error: unknown) => {
        takeBack.start(admission);
        throw error;
      });
      if (admitted.kind === 'admitted') {
        open.set(admission.holdId, { held: admitted.permit.held, paying: admitted, sent: null });
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
      return { kind: 'kept', paying: known === undefined ? null : payingAfter(known, settlement.charge) };
    },
    async record(record) {
      const { carried } = await keepSafe(parts, { kind: 'record', record });
      parts.ownRecords.keep(record, carried);
    },
    async endClaim(holder, end) {
      const { carried } = await keepSafe(parts, { kind: 'endClaim', holder, end });
      // Whether the key was still ours turns out later, and nobody waits for it. An outcome of nothing is nobody's loss.
      void carried.then(({ kind }) => {
        if (kind === 'claimLost' && end.kind === 'kept')
          parts.log.warn(CLAIM_LOST, { requestId: `req_${holder.requestId}` });
      });
      return true;
    },
  };
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

/** The accounts as this replica knows them: as they were at the admission, with this hold ended. */
function payingAfter({ paying, held }: Open, charge: Charge): Paying {
  const move = { held, spent: spentOf(charge, held) };
  const also = paying.also.map((account) => withSettled(account, move));
  return { account: withSettled(paying.account, move), also };
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
