import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folderMark } from './settings.ts';

export interface Postmaster {
  readonly pid: number;
  /** The server says itself that it takes connections. */
  readonly isReady: boolean;
}

export const POSTMASTER_FILE = 'postmaster.pid';
const STATUS_LINE = 7;
const PS_TIMEOUT_MS = 2_000;

/** What the server of this folder wrote about itself; null when no server has, or it has left in good order. */
export async function readPostmaster(folder: string): Promise<Postmaster | null> {
  const text = await readFile(join(folder, POSTMASTER_FILE), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, isReady: lines[STATUS_LINE]?.trim() === 'ready' };
}

/**
 * Whether that process is the server of this folder, and not another that was given its number since. Read from the
 * command line, which everybody may see; a process that is dead but not yet collected has none.
 */
export async function isServerOf(folder: string, pid: number): Promise<boolean> {
  const mark = folderMark(folder);
  switch (platform()) {
    case 'linux':
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(mark);
    case 'win32': // No cheap way to its command line, and numbers are seldom given twice there.
      return isAlive(pid);
    default:
      return (await commandLineOf(pid)).includes(mark);
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function commandLineOf(pid: number): Promise<string> {
  const asked = promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { timeout: PS_TIMEOUT_MS });
  return await asked.then(
    ({ stdout }) => stdout,
    () => '',
  );
}
