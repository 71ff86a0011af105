import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { DurableStore } from '../../ports/store.ts';
import { atMost } from '../time-limit.ts';
import { adopt } from './adopt.ts';
import type { JournalFolder } from './folder.ts';

/** How often what could not be carried out is tried again. */
const RETRY_MS = 1_000;

/** Journals that were left behind, being carried out. Disposing waits for the one under way, and gives the others back. */
export interface Adoption extends AsyncDisposable {
  /** Resolves when all were carried out, when they cannot be now, or after `limitMs`. */
  settled(limitMs: number): Promise<void>;
}

/** Carries journals out one after the other, again and again while the store is away. One that cannot be does not hold up the others. */
export function startAdoption(
  orphans: readonly JournalFolder[],
  of: { readonly store: DurableStore; readonly clock: Clock; readonly log: Log },
): Adoption {
  const left = new Set(orphans);
  const ended = Promise.withResolvers<void>();
  const stop = new AbortController();
  let timer: Disposable | null = null;
  const adoptOne = async (orphan: JournalFolder) => {
    try {
      if (await adopt(orphan, { ...of, signal: stop.signal })) left.delete(orphan);
    } catch (error) {
      if (error instanceof StoreUnavailable) return;
      of.log.error('a journal that was left behind cannot be carried out', {
        path: orphan.path,
        error: String(error),
      });
      orphan.release();
      left.delete(orphan);
    }
  };
  const round = async () => {
    for (const orphan of [...left]) {
      if (stop.signal.aborted || of.store.absence() !== null) break;
      await adoptOne(orphan);
    }
    if (left.size === 0) ended.resolve();
    else if (!stop.signal.aborted) timer = of.clock.after(RETRY_MS, start);
  };
  let running = Promise.resolve();
  const start = () => {
    running = round();
  };
  start();
  return {
    async settled(limitMs) {
      if (left.size === 0 || of.store.absence() !== null) return;
      await atMost(limitMs, of.clock, ended.promise);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      timer?.[Symbol.dispose]();
      await running;
      for (const orphan of left) orphan.release();
    },
  };
}
