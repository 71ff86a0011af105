import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pollUntil } from './poll.ts';
import { isAlive, isServerOf, POSTMASTER_FILE, readPostmaster } from './postmaster.ts';

export type PreviousServer = { readonly kind: 'gone' } | { readonly kind: 'stuck'; readonly pid: number };

/** The order in which a server is asked to leave: fast (sessions end, data written), then immediate (as after a crash). */
const STEPS = [
  { signal: 'SIGINT', timeoutMs: 15_000 },
  { signal: 'SIGQUIT', timeoutMs: 5_000 },
] as const;

const LOOK_EVERY_MS = 20;

/**
 * Sees to it that a server whose service was killed has left the folder. Its watcher should have asked it already; asking
 * twice does no harm. Only for the holder of the folder's lock: then no living service is behind that server.
 */
export async function endPreviousServer(folder: string, note: (message: string) => void): Promise<PreviousServer> {
  const previous = await readPostmaster(folder);
  if (previous === null) return { kind: 'gone' };
  const { pid } = previous;
  if (!(await isServerOf(folder, pid))) {
    // PostgreSQL clears the file of a dead server itself, but gives up when the number now belongs to somebody else,
    // as it often does after the restart of a container. Its shared memory still guards against left-over sessions.
    if (isAlive(pid)) await rm(join(folder, POSTMASTER_FILE), { force: true });
    return { kind: 'gone' };
  }
  note(`waiting for the PostgreSQL server of a service that was killed (process ${pid}) to end`);
  for (const { signal, timeoutMs } of STEPS) {
    ask(pid, signal);
    const left = async (): Promise<true | null> => ((await isServerOf(folder, pid)) ? null : true);
    if (await pollUntil(left, { timeoutMs, everyMs: LOOK_EVERY_MS })) return { kind: 'gone' };
  }
  return { kind: 'stuck', pid };
}

function ask(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It left between the look and the signal, or it is not ours to signal: the next look tells.
  }
}
