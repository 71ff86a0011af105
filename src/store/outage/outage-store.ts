import type { HoldId, ReplicaId } from '../../core/ids.ts';
import type { PicoUsd } from '../../core/money.ts';
import type { Registry } from '../../core/registry.ts';
import { modeOf, type StoreMode } from '../../core/store-mode.ts';
import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Admission, Admitted, Settled, Settlement } from '../../ports/admission.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { ReservingStore, Store } from '../../ports/store.ts';
import { atMost } from '../time-limit.ts';
import { type Island, makeIsland, type OpenDraw } from './island.ts';
import { makeModeWatch } from './mode-watch.ts';
import { makeReserveBook, type ReserveBook } from './reserve-book.ts';
import { type ReserveKeeper, startReserveKeeper } from './reserve-keeper.ts';

/** How long a stop waits for the store to know what was paid from slices, before it gives back the rest of them. */
const STOP_WAIT_MS = 5_000;

export interface OutageParts {
  readonly store: ReservingStore;
  readonly registry: Registry;
  readonly replica: ReplicaId;
  /** The largest slice of one account. */
  readonly amountMax: PicoUsd;
  readonly newHoldId: () => HoldId;
  readonly clock: Clock;
  readonly log: Log;
}

interface Outage extends OutageParts {
  readonly book: ReserveBook;
  readonly island: Island;
  readonly keeper: ReserveKeeper;
  /** Attempts whose end the store is being told. */
  readonly telling: Set<Promise<void>>;
  readonly look: () => void;
}

/**
 * A store whose replica goes on while it is away. Accounts that were active have a slice of their money reserved, which is held
 * like any other. While the store does not answer they are admitted on that, and only on that, until its lease ends; what came of
 * it is kept in the journal, and told to the store when it is back.
 */
export function makeOutageStore(parts: OutageParts): Store {
  const { store, clock, log } = parts;
  const book = makeReserveBook({ ...parts, newSliceId: parts.newHoldId });
  const island = makeIsland({ ...parts, book });
  const mode = () => modeWith(store, book);
  const look = makeModeWatch({ mode, clock, log });
  const keeper = startReserveKeeper({ store, book, island, clock, log, look });
  const outage: Outage = { ...parts, book, island, keeper, telling: new Set(), look };
  return {
    ...store,
    mode,
    async adopt(registry) {
      await store.adopt(registry);
      island.adopt(registry);
      book.slots.adopt(registry);
    },
    async look(payers) {
      const ask = async () => {
        const snapshot = await store.look(payers);
        island.see(snapshot);
        return snapshot;
      };
      return orElse(outage, ask, () => island.look(payers));
    },
    admit: (admission) => admit(outage, admission),
    async dispatch(permit) {
      const open = island.find(permit.holdId);
      if (open === null) return store.dispatch(permit);
      open.isSent = true;
      return store.dispatchDraw(open.draw);
    },
    async settle(settlement) {
      const open = island.find(settlement.holdId);
      return open === null ? store.settle(settlement) : settleDraw(outage, open, settlement);
    },
    [Symbol.asyncDispose]: () => end(outage),
  };
}

function modeWith(store: ReservingStore, book: ReserveBook): StoreMode {
  const absence = store.absence();
  const reach = absence === null ? null : book.reach();
  return absence === null || reach === null ? modeOf(absence) : { kind: 'slices', ...absence, ...reach };
}

/** The store's answer; when it has none, the island's; when that has none either, why the store had none. */
async function orElse<Answer>(
  { look }: Outage,
  ask: () => Promise<Answer>,
  decide: () => Answer | null,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    look();
    const decided = decide();
    if (decided === null) throw error;
    return decided;
  }
}

async function admit(outage: Outage, admission: Admission): Promise<Admitted> {
  const { store, book, island } = outage;
  const ask = async () => {
    const absence = store.absence();
    // Not asked in vain: an admission without an answer is taken back, and that has to be kept.
    if (absence !== null) throw new StoreUnavailable(absence.why);
    const admitted = await store.admit(admission);
    if (admitted.kind === 'admitted') {
      book.noteSpender(admission);
      book.slots.noteUse(admitted.permit.provider);
    }
    return admitted;
  };
  return orElse(outage, ask, () => island.admit(admission));
}

/** The slice stays open until the store knows what was paid from it. */
function settleDraw({ store, island, telling }: Outage, open: OpenDraw, settlement: Settlement): Settled {
  const paying = island.settle(open, settlement);
  if (open.isSent) {
    const told = store.settleDraw(open.draw, settlement).then(() => {
      island.close(open);
      telling.delete(told);
    });
    telling.add(told);
  } else {
    island.close(open);
  }
  return { kind: 'kept', paying };
}

async function end({ store, keeper, telling, clock }: Outage): Promise<void> {
  if (store.absence() === null) await atMost(STOP_WAIT_MS, clock, Promise.all(telling));
  if (!(await keeper.end())) store.leaveForNextStart();
  await store[Symbol.asyncDispose]();
}
