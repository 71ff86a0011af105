import { copyFile, type FileHandle, open, rename, stat } from 'node:fs/promises';

/** Where the server writes: at most `bytesMax` and what comes between two looks, and as much again in the file before it. */
export interface ServerLog extends AsyncDisposable {
  readonly path: string;
  readonly descriptor: number;
  /** The last of what was written since this log was opened. */
  tail(): Promise<string>;
}

const LIMITS = { bytesMax: 4_000_000, lookEveryMs: 60_000 } as const;
const TAIL_BYTES_MAX = 4_000;
const TAIL_LINES_MAX = 15;

export async function openServerLog(
  path: string,
  limits: { readonly bytesMax: number; readonly lookEveryMs: number } = LIMITS,
): Promise<ServerLog> {
  const older = `${path}.1`;
  if ((await sizeOf(path)) > limits.bytesMax) await rename(path, older);
  const openedAt = await sizeOf(path);
  const file = await open(path, 'a+', 0o600);
  // The server appends through its own copy of the descriptor, also when we are dead or busy; hence no pipe. After the
  // cut it goes on at the new end.
  const cut = async (): Promise<void> => {
    if ((await sizeOf(path)) <= limits.bytesMax) return;
    await copyFile(path, older);
    await file.truncate(0);
  };
  const timer = setInterval(() => void cut().catch(() => undefined), limits.lookEveryMs).unref();
  return {
    path,
    descriptor: file.fd,
    tail: () => readTail(file, openedAt),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await file.close();
    },
  };
}

async function readTail(file: FileHandle, openedAt: number): Promise<string> {
  const { size } = await file.stat();
  const from = Math.max(size - TAIL_BYTES_MAX, size < openedAt ? 0 : openedAt);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
  return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-TAIL_LINES_MAX).join('\n');
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
