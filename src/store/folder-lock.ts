import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** This process alone may use the folder until the lock is disposed or the process is gone. */
type FolderLock = Disposable;

export type LockTaken =
  | { readonly kind: 'held'; readonly lock: FolderLock }
  /** `owner` says who; null when the owner has not written it yet. */
  | { readonly kind: 'taken'; readonly owner: string | null };

const LOCK_FILE = 'service.lock';
const OWNER_FILE = 'service.owner';
const OWNER_CHARS_MAX = 200;
const SQLITE_BUSY = 5;

/**
 * Takes the folder for this process. Node offers no file lock of its own, but SQLite does on every system: a write
 * transaction on an empty database that is never written. The kernel frees it with the process however that dies, so
 * there is nothing stale to recognise and no process number to be fooled by; the owner file is only for people.
 */
export function takeFolder(dataDir: string): LockTaken {
  const ownerFile = join(dataDir, OWNER_FILE);
  const lockFile = join(dataDir, LOCK_FILE);
  makeUnlessThere(lockFile);
  const database = new DatabaseSync(lockFile);
  try {
    database.exec('pragma journal_mode = memory; begin immediate');
  } catch (error) {
    database.close();
    if (isBusy(error)) return { kind: 'taken', owner: readOwner(ownerFile) };
    throw error;
  }
  writeFileSync(ownerFile, `process ${process.pid}, since ${new Date().toISOString()}\n`, { mode: 0o600 });
  const release = (): void => {
    if (!database.isOpen) return;
    rmSync(ownerFile, { force: true });
    database.close();
  };
  return { kind: 'held', lock: { [Symbol.dispose]: release } };
}

/** Closed to others, who could hold it too. A file that is there is not touched: closing it would free our own locks on it. */
function makeUnlessThere(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function readOwner(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim().slice(0, OWNER_CHARS_MAX) || null;
  } catch {
    return null;
  }
}
