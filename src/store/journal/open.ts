import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReplicaId } from '../../core/ids.ts';
import { StoreUnavailable } from '../../core/unavailable.ts';
import type { ReservingStore } from '../../ports/store.ts';
import { adopt } from './adopt.ts';
import { type JournalFolder, makeJournalFolder, takeOrphans } from './folder.ts';
import { openJournal } from './journal.ts';
import { makeJournaledStore } from './journaled-store.ts';
import type { KeptParts } from './kept-acts.ts';

type JournaledParts = Omit<KeptParts, 'journal' | 'drainer'>;

/** How long the start waits for journals that were left behind, and how often they are tried again afterwards. */
const ADOPTION = { startMs: 10_000, retryMs: 1_000 } as const;

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
  const journal = await openJournal({ folder: folder.path, clock, log });
  const adoption = startAdoption(await takeOrphans(root, replica), parts);
  await adoption.settled(ADOPTION.startMs);
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
        adoption.stop();
        await store[Symbol.asyncDispose]();
        if (journal.count() === 0 && !isLeft) await folder.remove();
        else folder.release();
      },
    },
  };
}

/** Carries journals out one after the other, again and again while the store is away. */
function startAdoption(orphans: readonly JournalFolder[], of: JournaledParts) {
  const left = [...orphans];
  const ended = Promise.withResolvers<void>();
  let timer: Disposable | null = null;
  let isStopped = false;
  const run = async () => {
    for (let orphan = left[0]; orphan !== undefined && !isStopped; orphan = left[0]) {
      try {
        await adopt(orphan, of);
      } catch (error) {
        if (error instanceof StoreUnavailable) {
          timer = of.clock.after(ADOPTION.retryMs, () => void run());
          return;
        }
        of.log.error('a journal that was left behind cannot be carried out', {
          path: orphan.path,
          error: String(error),
        });
        orphan.release();
      }
      left.shift();
    }
    ended.resolve();
  };
  void run();
  return {
    /** Resolves when all were carried out, when they cannot be now, or after `limitMs`. */
    async settled(limitMs: number): Promise<void> {
      if (left.length === 0 || of.store.absence() !== null) return;
      const late = Promise.withResolvers<void>();
      using _timer = of.clock.after(limitMs, late.resolve);
      await Promise.race([ended.promise, late.promise]);
    },
    stop() {
      isStopped = true;
      timer?.[Symbol.dispose]();
      for (const orphan of left) orphan.release();
    },
  };
}
