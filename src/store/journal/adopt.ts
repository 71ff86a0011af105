import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Log } from '../../ports/log.ts';
import type { SentCall } from '../../ports/replay.ts';
import type { DurableStore } from '../../ports/store.ts';
import { type JournalFolder, readJournal } from './folder.ts';
import type { Entry } from './frame.ts';

/** Acts of a journal that are carried out at the same time. */
const TOGETHER_MAX = 500;

/**
 * Carries out what a replica that died had kept and not yet told the store. Then gives back what it held without having sent
 * anything, slices included. What was sent, and how it ended is not known, is left alone, with the slice that it was paid from: it
 * expires, and is posted in full. The folder goes when all of it was done. Answers false when the signal aborted before that; rejects
 * with `StoreUnavailable` when it cannot be done now.
 */
export async function adopt(
  orphan: JournalFolder,
  of: { readonly store: DurableStore; readonly log: Log; readonly signal: AbortSignal },
): Promise<boolean> {
  const { store } = of;
  const log = of.log.with({ journal: orphan.path });
  const { entries, isComplete } = await readJournal(orphan);
  const acts = entries.flatMap((entry) => (entry.kind === 'sent' ? [] : [entry.act]));
  let failed = 0;
  for (let at = 0; at < acts.length; at += TOGETHER_MAX) {
    if (of.signal.aborted) return false;
    const endings = await Promise.allSettled(acts.slice(at, at + TOGETHER_MAX).map((act) => store.carryOut(act)));
    for (const ending of endings) {
      if (ending.status === 'fulfilled') continue;
      if (ending.reason instanceof StoreUnavailable) throw ending.reason;
      failed += 1;
      log.error('an act of a journal cannot be carried out', { error: String(ending.reason) });
    }
  }
  const { sent, unknown } = callsOf(entries);
  if (!isComplete) log.error('a journal is damaged: what it does not tell of expires and is posted in full');
  const voided = isComplete ? await store.voidUnsent(orphan.replica, sent) : 0;
  log.warn('the journal of a replica that died was carried out', { acts: acts.length, failed, voided, unknown });
  if (failed === 0) await orphan.remove();
  else orphan.release();
  return true;
}

/** The calls that may have been sent, and how many of them have no known end. */
function callsOf(entries: readonly Entry[]): { readonly sent: readonly SentCall[]; readonly unknown: number } {
  const sent = new Map(entries.flatMap((entry) => (entry.kind === 'sent' ? [[entry.holdId, entry.slice]] : [])));
  const ended = new Set(entries.flatMap((entry) => (entry.kind === 'settle' ? [entry.holdId] : [])));
  const unknown = [...sent.keys()].filter((holdId) => !ended.has(holdId)).length;
  for (const holdId of ended) if (!sent.has(holdId)) sent.set(holdId, null);
  return { sent: Array.from(sent, ([holdId, slice]) => ({ holdId, slice })), unknown };
}
