import type { HoldId } from '../../core/ids.ts';
import type { Settled, Settlement } from '../../ports/admission.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { CarriedOut, KeepableAct } from '../../ports/replay.ts';
import type { DurableStore } from '../../ports/store.ts';
import { atMost } from '../time-limit.ts';
import type { Drainers } from './drainer.ts';
import type { Journal, Place } from './journal.ts';

/** How long the store itself gets for an act that the disk did not take. */
const WITHOUT_DISK_MS = 250;

export interface KeptParts {
  readonly store: DurableStore;
  readonly journal: Journal;
  readonly drainers: Drainers;
  readonly clock: Clock;
  readonly log: Log;
  /** Told how a settle ended that was kept first. */
  readonly told: (settlement: Settlement, settled: Settled) => void;
}

/** Resolves when the act cannot be lost any more, and with it everything that was kept before; `carried` when it was carried out. */
export async function keepSafe(
  parts: KeptParts,
  what: KeepableAct,
): Promise<{ readonly carried: Promise<CarriedOut> }> {
  const { journal, clock, log } = parts;
  const act = parts.store.encode(what);
  const carried = carryOut(parts, 'others', { act, places: [journal.append({ kind: 'act', act })] });
  try {
    await journal.safe();
  } catch (error) {
    // The disk failed with an answer in hand: the store itself may still keep it.
    log.error('an act could not be kept in the journal', { act: what.kind, error: String(error) });
    await atMost(WITHOUT_DISK_MS, clock, carried);
  }
  return { carried };
}

/** Resolves when the store has it. `sent` is the place of the entry that this one answers. */
export function keepSettle(parts: KeptParts, settlement: Settlement, sent: Place | null): Promise<Settled> {
  const act = parts.store.encode({ kind: 'settle', settlement });
  return keepEnd(parts, { holdId: settlement.holdId, act }, sent);
}

/** The same for an end of a permit that is written down already. */
export async function keepEnd(
  parts: KeptParts,
  end: { readonly holdId: HoldId; readonly act: string },
  sent: Place | null,
): Promise<Settled> {
  const place = parts.journal.append({ kind: 'settle', ...end });
  const places = sent === null ? [place] : [place, sent];
  const carried = await carryOut(parts, 'ends', { act: end.act, places });
  if (carried.kind === 'done' || carried.kind === 'claimLost') {
    throw new RangeError('a settle was carried out as something else');
  }
  return carried;
}

async function carryOut(
  { drainers, journal }: KeptParts,
  by: keyof Drainers,
  kept: { readonly act: string; readonly places: readonly Place[] },
): Promise<CarriedOut> {
  const carried = await drainers[by].add(kept.act);
  for (const place of kept.places) journal.release(place);
  return carried;
}
