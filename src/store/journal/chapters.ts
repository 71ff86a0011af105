import { join } from 'node:path';
import type { Log } from '../../ports/log.ts';
import { FILE_HEAD } from './frame.ts';
import type { Segment } from './segment.ts';

/** A file is closed when it has this many bytes. */
const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;

/** One file of the journal, and how many of its entries somebody may still have to find there. */
export interface Chapter {
  readonly segment: Segment;
  count: number;
  isRemoved: boolean;
}

/** The files of one journal, one of them open. A closed file goes when nobody needs an entry of it any more. */
export interface Chapters extends AsyncDisposable {
  /** Appends, and resolves when it is on the disk, with the file that has it. */
  write(frames: readonly Buffer[]): Promise<Chapter>;
  /** An entry of the file is not needed any more. */
  release(chapter: Chapter): void;
}

export async function openChapters(of: {
  readonly folder: string;
  readonly log: Log;
  readonly open: (path: string) => Promise<Segment>;
}): Promise<Chapters> {
  let fileCount = 0;
  /** Nothing is written to it any more. It goes at once when nobody needs an entry of it, or else with the last one's release. */
  const retire = async (chapter: Chapter) => {
    const { segment } = chapter;
    try {
      await segment.close();
      if (chapter.count > 0 || chapter.isRemoved) return;
      chapter.isRemoved = true;
      await segment.remove();
    } catch (error) {
      of.log.warn('a journal file could not be closed or removed', { path: segment.path, error: String(error) });
    }
  };
  const openNext = async (): Promise<Chapter> => {
    fileCount += 1;
    const segment = await of.open(join(of.folder, `${String(fileCount).padStart(8, '0')}.journal`));
    const chapter = { segment, count: 0, isRemoved: false };
    try {
      // Shows that this disk takes more than a name.
      await segment.append(FILE_HEAD);
    } catch (error) {
      await retire(chapter);
      throw error;
    }
    return chapter;
  };
  /** Null after a write that failed: whatever stands at its end, nothing is written behind it. */
  let current: Chapter | null = await openNext();
  /** The file that is being written to at this moment. It stays open, however little of it is still needed. */
  let writing: Chapter | null = null;
  let isOver = false;

  return {
    async write(frames) {
      if (current !== null && current.segment.bytes() >= SEGMENT_BYTES_MAX) {
        const full = current;
        current = null;
        void retire(full);
      }
      const chapter = current ?? (await openNext());
      current = null;
      writing = chapter;
      try {
        if (frames.length > 0) await chapter.segment.append(Buffer.concat(frames));
      } catch (error) {
        void retire(chapter);
        throw error;
      } finally {
        writing = null;
      }
      chapter.count += frames.length;
      current = chapter;
      // The disk took longer than anybody waited for it at the end.
      if (isOver) await chapter.segment.close();
      return chapter;
    },
    release(chapter) {
      chapter.count -= 1;
      if (chapter.count === 0 && chapter !== current && chapter !== writing) void retire(chapter);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      // The file stays, also when nobody needs an entry of it: that there is one says that nothing else was sent.
      await current?.segment.close();
    },
  };
}
