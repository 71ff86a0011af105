import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReplicaId } from '../../core/ids.ts';
import type { Log } from '../../ports/log.ts';
import type { ReservingStore } from '../../ports/store.ts';
import { startAdoption } from './adoption.ts';
import { type JournalFolder, makeJournalFolder, takeOrphans } from './folder.ts';
import { openJournal } from './journal.ts';
import { makeJournaledStore } from './journaled-store.ts';
import type { KeptParts } from './keep.ts';

type JournaledParts = Omit<KeptParts, 'journal' | 'drainers'>;

/** How long the start waits for journals that were left behind to be carried out. */
const ADOPTION_WAIT_MS = 10_000;

/** A store with this replica's journal before it. */
export interface JournaledStore {
  readonly store: ReservingStore;
  readonly journal: {
    readonly path: string;
    /** Why it takes nothing new, for operators. Null while it does. */
    readonly fault: () => string | null;
    /** Entries that are not carried out yet. */
    readonly count: () => number;
  };
}

/**
 * Opens a journal of this replica's own below `dataDir`, and carries out those that dead replicas left there: first of all if
 * the store answers, otherwise as soon as it does. The store is closed with what is answered here.
 */
export async function openJournaledStore(
  parts: JournaledParts & { readonly dataDir: string; readonly replica: ReplicaId },
): Promise<JournaledStore> {
  const { clock, log, replica } = parts;
  const root = join(parts.dataDir, 'journal');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = await makeJournalFolder(root, replica);
  await using opened = new AsyncDisposableStack();
  opened.defer(() => folder.release());
  const journal = opened.use(await openJournal({ folder: folder.path, clock, log }));
  const adoption = opened.use(startAdoption(await takeOrphans(root, { own: replica, clock, log }), parts));
  await adoption.settled(ADOPTION_WAIT_MS);
  const store = makeJournaledStore({ ...parts, journal });
  opened.move();
  let isLeft = false;
  return {
    journal: { path: folder.path, fault: journal.fault, count: journal.count },
    store: {
      ...store,
      leaveForNextStart() {
        isLeft = true;
      },
      async [Symbol.asyncDispose]() {
        await adoption[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
        if (journal.count() > 0 || isLeft) return folder.release();
        await removeOrRelease(folder, log);
      },
    },
  };
}

/** Nothing is in it that anybody needs, so a disk that fails now costs no more than the space. */
async function removeOrRelease(folder: JournalFolder, log: Log): Promise<void> {
  try {
    await folder.remove();
  } catch (error) {
    log.warn('the folder of an empty journal could not be removed', { folder: folder.path, error: String(error) });
    folder.release();
  }
}
