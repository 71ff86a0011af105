import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReplicaId, replicaId } from '../../core/ids.ts';
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

/** Takes the folders that replicas left behind when they died. Whatever a living process has is locked, and not among them. */
export async function takeOrphans(root: string, own: ReplicaId): Promise<readonly JournalFolder[]> {
  const names = (await readdir(root)).filter((name) => name !== own);
  const orphans: JournalFolder[] = [];
  for (const name of names) {
    const path = join(root, name);
    if (name.startsWith(UNFINISHED) && !(await isLeftOver(path))) continue;
    const taken = takeFolder(path);
    if (taken.kind === 'held') orphans.push(folderOf({ replica: replicaId(name), path, lock: taken.lock }));
  }
  return orphans;
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
      // The lock first: not every system removes a file that is open.
      release();
      await rm(of.path, { recursive: true, force: true });
    },
  };
}

async function isLeftOver(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => null);
  return made !== null && Date.now() - made.mtimeMs > LEFT_OVER_AFTER_MS;
}
