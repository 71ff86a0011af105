import type { ReservingStore } from '../../ports/store.ts';
import { startDrainer } from './drainer.ts';
import type { KeptParts } from './keep.ts';
import { makeKeptActs } from './kept-acts.ts';
import { makeOwnRecords } from './own-records.ts';
import { caughtUpWithin, readsAfterOwnWrites } from './own-writes.ts';

/** How long a stop waits for the store to have everything. The rest stays in the journal for the next start. */
const STOP_WAIT_MS = 5_000;

/**
 * A store behind a journal on this replica's own disk. What was decided is safe there before anybody is told, and reaches the
 * store in the background: at once while it answers, later when it was away.
 */
export function makeJournaledStore(parts: Omit<KeptParts, 'drainers'>): Omit<ReservingStore, 'leaveForNextStart'> {
  const { store, journal, clock, log } = parts;
  const carryOut = (act: string) => store.carryOut(act);
  const drainers = { ends: startDrainer({ ...parts, carryOut }), others: startDrainer({ ...parts, carryOut }) };
  const ownRecords = makeOwnRecords();
  const keptActs = makeKeptActs({ ...parts, drainers, ownRecords });
  const reads = readsAfterOwnWrites({ store, drainers, clock });
  return {
    ...store,
    ...reads,
    find: async (id) => ownRecords.find(id) ?? reads.find(id),
    ...keptActs.acts,
    async [Symbol.asyncDispose]() {
      await caughtUpWithin(STOP_WAIT_MS, { store, drainers, clock });
      const entries = journal.count();
      if (entries > 0)
        log.warn('what the store was not told yet stays in the journal: the next start tells it', { entries });
      keptActs[Symbol.dispose]();
      drainers.ends[Symbol.dispose]();
      drainers.others[Symbol.dispose]();
      await journal[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
