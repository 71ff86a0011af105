import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReplicaId, replicaId } from '../../core/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { takeFolder } from '../folder-lock.ts';
import { type Entry, type Frames, readFrames } from './frame.ts';
import { keepNames } from './segment.ts';

/** A journal's folder that this process alone may use, until it is released. */
export interface JournalFolder {
  readonly replica: ReplicaId;
  readonly path: string;
  /** Gives the folder back. What it holds is left for whoever comes next. */
  release(): void;
  /** Removes the folder with all it holds, and gives it back. */
  remove(): Promise<void>;
}

/** What stands in a journal, whichever of its files it is in. */
export interface JournalText {
  readonly entries: readonly Entry[];
  /** False when entries that were safe may be missing. */
  readonly isComplete: boolean;
}

const SUFFIX = '.journal';

/** A folder under this name is not locked yet, and nobody's journal. */
const UNFINISHED = 'new-';

/** A folder with this file was carried out to its end. What else is still in it may be missing in part, and is not looked at. */
const DONE = 'done';

/** Whose journal a folder is. Any other name below the root is none of ours. */
const REPLICA_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An unfinished folder is left over when it is older than this. */
const LEFT_OVER_AFTER_MS = 3_600_000;

/** Makes the folder of a replica. It has its name only when it is locked: nobody can take it for one that was left behind. */
export async function makeJournalFolder(root: string, replica: ReplicaId): Promise<JournalFolder> {
  const unfinished = join(root, UNFINISHED + randomUUID());
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const taken = takeFolder(unfinished);
  if (taken.kind === 'taken') throw new Error(`${unfinished} was made by us and is locked by another process`);
  const path = join(root, replica);
  await rename(unfinished, path);
  await keepNames(root);
  return folderOf({ replica, path, lock: taken.lock });
}

/**
 * Takes the folders that replicas left behind when they died. Whatever a living process has is locked, and not among them; what
 * was only left over in the middle of being made or removed is removed now. A folder that cannot be taken is told of, and left.
 */
export async function takeOrphans(
  root: string,
  of: { readonly own: ReplicaId; readonly clock: Clock; readonly log: Log },
): Promise<readonly JournalFolder[]> {
  const orphans: JournalFolder[] = [];
  for (const name of await readdir(root)) {
    const path = join(root, name);
    try {
      if (name.startsWith(UNFINISHED)) await removeIfLeftOver(path, of.clock.now());
      else if (name !== of.own && REPLICA_NAME.test(name)) orphans.push(...(await takeOrphan(path, replicaId(name))));
    } catch (error) {
      of.log.error('a journal that was left behind cannot be opened', { path, error: String(error) });
    }
  }
  return orphans;
}

async function takeOrphan(path: string, replica: ReplicaId): Promise<readonly JournalFolder[]> {
  const taken = takeFolder(path);
  if (taken.kind === 'taken') return [];
  const orphan = folderOf({ replica, path, lock: taken.lock });
  const names = await readdir(path);
  // A replica that got as far as holding money has a file. Without one, nobody can say what was sent: nothing is given back.
  if (!names.includes(DONE) && names.some((name) => name.endsWith(SUFFIX))) return [orphan];
  await orphan.remove();
  return [];
}

/** Reads all files of a journal. Never throws for what stands in them. */
export async function readJournal(folder: JournalFolder): Promise<JournalText> {
  const names = (await readdir(folder.path)).filter((name) => name.endsWith(SUFFIX)).toSorted();
  const files: Frames[] = [];
  for (const name of names) files.push(readFrames(await readFile(join(folder.path, name))));
  return {
    entries: files.flatMap(({ entries }) => entries),
    isComplete: files.every(({ ending }) => ending !== 'damaged'),
  };
}

function folderOf(of: {
  readonly replica: ReplicaId;
  readonly path: string;
  readonly lock: Disposable;
}): JournalFolder {
  const release = () => of.lock[Symbol.dispose]();
  return {
    replica: of.replica,
    path: of.path,
    release,
    async remove() {
      const names = await readdir(of.path);
      // First of all, and safe: a folder that lost some of its files must never be taken for all that a replica did.
      await markDone(of.path);
      await Promise.all(
        names.filter((name) => name.endsWith(SUFFIX)).map((name) => rm(join(of.path, name), { force: true })),
      );
      // The lock goes before its file: not every system removes a file that is open.
      release();
      await rm(of.path, { recursive: true, force: true });
    },
  };
}

async function markDone(path: string): Promise<void> {
  await writeFile(join(path, DONE), '', { flush: true, mode: 0o600 });
  await keepNames(path);
}

async function removeIfLeftOver(path: string, nowMs: number): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (nowMs - mtimeMs > LEFT_OVER_AFTER_MS) await rm(path, { recursive: true, force: true });
}
