import { watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../ports/clock.ts';

/**
 * `pollMs` is the truth when nobody is told of a change, as on network disks. A change is passed on when nothing has moved for
 * `settleMs`: editors write in several steps. What goes on moving, or is missing, is passed on after `settleMsMax` all the same.
 */
const WATCH = { settleMs: 250, settleMsMax: 5_000, pollMs: 10_000 } as const;

/** Calls back when something in a folder changes, or is not watched any more. It may do so for nothing, or not at all. */
export type WatchFolder = (folder: string, onHint: () => void) => Disposable;

interface WatchParts {
  /** A handful, which bounds the folders that are watched. */
  readonly files: readonly string[];
  readonly clock: Clock;
  /** Default: the system's own notices. */
  readonly watchFolder?: WatchFolder;
  /** Called once when the files were first seen, and after each change of one of them: of the file, or of where its name leads. */
  readonly onChange: () => void;
}

/** How each of the files looked at one moment. */
type Look = readonly string[];

const MISSING = 'missing';

/** Watches files that may be replaced by others of the same name, reached by links that are turned, or missing for a while. */
export function watchFiles(parts: WatchParts): AsyncDisposable {
  const { files, clock, onChange } = parts;
  const folders = makeFolders(parts.watchFolder ?? watchFolder, hint);
  let passedOn: Look | null = null;
  /** What was seen last, and since when the files differ from what was passed on. Null: they do not. */
  let moving: { readonly prints: string; readonly sinceMs: number } | null = null;
  let timer: Disposable | null = null;
  let looking: Promise<void> | null = null;
  let isHinted = false;
  let isEnded = false;

  async function look(): Promise<void> {
    isHinted = false;
    folders.follow(await foldersOf(files));
    const seen = await Promise.all(files.map(printOf));
    const prints = seen.join();
    if (prints === passedOn?.join()) moving = null;
    else if (isSettled(seen, prints)) {
      passedOn = seen;
      moving = null;
      if (!isEnded) onChange();
    } else moving = { prints, sinceMs: moving?.sinceMs ?? clock.elapsedMs() };
    looking = null;
    rest();
  }
  function isSettled(seen: Look, prints: string): boolean {
    if (moving === null) return false;
    const isLate = clock.elapsedMs() - moving.sinceMs >= WATCH.settleMsMax;
    const isNewlyMissing = seen.some(
      (print, index) => print === MISSING && ![MISSING, undefined].includes(passedOn?.[index]),
    );
    return isLate || (moving.prints === prints && !isNewlyMissing);
  }
  function rest(): void {
    timer?.[Symbol.dispose]();
    if (isEnded) return;
    timer = clock.after(isHinted || moving !== null ? WATCH.settleMs : WATCH.pollMs, begin);
  }
  function begin(): void {
    looking ??= look();
  }
  function hint(): void {
    if (isHinted || isEnded) return;
    isHinted = true;
    if (looking === null && moving === null) rest();
  }

  begin();
  return {
    async [Symbol.asyncDispose]() {
      isEnded = true;
      timer?.[Symbol.dispose]();
      await looking;
      folders.follow([]);
    },
  };
}

/** Another one when the file is another, or was written to. */
async function printOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return code === 'ENOENT' ? MISSING : code;
  }
}

/** Where a change of the files shows: where they are named, and where the names lead. */
async function foldersOf(files: readonly string[]): Promise<readonly string[]> {
  const named = files.map((file) => dirname(file));
  const led = await Promise.all(files.map(async (file) => dirname(await realpath(file).catch(() => file))));
  return [...new Set([...named, ...led])];
}

function makeFolders(watchOne: WatchFolder, onHint: () => void) {
  const watched = new Map<string, Disposable>();
  return {
    follow(folders: readonly string[]) {
      for (const [folder, handle] of watched) {
        if (folders.includes(folder)) continue;
        handle[Symbol.dispose]();
        watched.delete(folder);
      }
      for (const folder of folders) if (!watched.has(folder)) watched.set(folder, watchOne(folder, onHint));
    },
  };
}

const watchFolder: WatchFolder = (folder, onHint) => {
  try {
    const watcher = watch(folder, { persistent: false }, onHint);
    // Too many watchers, or a folder that has gone: the poll goes on.
    watcher.on('error', () => watcher.close());
    return { [Symbol.dispose]: () => watcher.close() };
  } catch {
    return { [Symbol.dispose]: () => undefined };
  }
};
