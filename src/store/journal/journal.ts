import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { type Chapter, openChapters } from './chapters.ts';
import { type Entry, frameOf } from './frame.ts';
import { makeGroupWriter } from './group-writer.ts';
import { openSegment, type Segment } from './segment.ts';

/** The most that may wait to be carried out before nothing new is taken on: they are also kept in memory. */
const WAITING = { entriesMax: 100_000, bytesMax: 256 * 1024 * 1024 } as const;

/** The place of an entry: grows by one with each. */
export type Place = number;

/**
 * What a replica must not forget, on its own disk, in order. What comes while the disk is busy is written together and made
 * safe by one `fdatasync`.
 */
export interface Journal extends AsyncDisposable {
  /** Takes an entry, always. It is safe when a `safe` that was asked for afterwards resolves. */
  append(entry: Entry): Place;
  /** Resolves when everything taken so far is on the disk. Rejects with `JournalUnavailable` when it cannot be written. */
  safe(): Promise<void>;
  /** The entry was carried out: nobody has to find it here any more. */
  release(place: Place): void;
  /** Why no new obligations should be taken on, for operators. Null while they may. */
  fault(): string | null;
  /** Entries that are not released. */
  count(): number;
}

interface Kept {
  readonly place: Place;
  readonly bytes: number;
  /** Where it is: still here, or in a file. */
  at: { readonly frame: Buffer } | { readonly chapter: Chapter };
}

export async function openJournal(of: {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: real files. */
  readonly open?: (path: string) => Promise<Segment>;
}): Promise<Journal> {
  const { folder, log } = of;
  const chapters = await openChapters({ folder, log, open: of.open ?? openSegment });
  const entries = new Map<Place, Kept>();
  let last: Place = 0;
  let bytes = 0;

  const writer = makeGroupWriter<Kept>({
    clock: of.clock,
    async write(group) {
      // What was carried out before it came to the disk need not come there any more.
      const needed = group.filter(({ place }) => entries.has(place));
      const chapter = await chapters.write(needed.flatMap(({ at }) => ('frame' in at ? [at.frame] : [])));
      for (const kept of needed) {
        kept.at = { chapter };
        if (!entries.has(kept.place)) chapters.release(chapter);
      }
    },
    told(fault) {
      if (fault === null) log.warn('the journal can be written again', { folder });
      else log.error('the journal cannot be written: nothing new is taken on', { folder, error: fault });
    },
  });

  return {
    append(entry) {
      last += 1;
      const frame = frameOf(entry);
      const kept = { place: last, bytes: frame.length, at: { frame } };
      bytes += kept.bytes;
      entries.set(last, kept);
      writer.take(kept);
      return last;
    },
    safe: writer.safe,
    release(place) {
      const kept = entries.get(place);
      if (kept === undefined) return;
      entries.delete(place);
      bytes -= kept.bytes;
      if ('chapter' in kept.at) chapters.release(kept.at.chapter);
    },
    fault() {
      const fault = writer.fault();
      if (fault !== null) return `the journal in ${folder} cannot be written: ${fault}`;
      const isFull = entries.size >= WAITING.entriesMax || bytes >= WAITING.bytesMax;
      return isFull ? `${entries.size} entries of the journal, ${bytes} bytes, wait to be carried out` : null;
    },
    count: () => entries.size,
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await chapters[Symbol.asyncDispose]();
    },
  };
}
