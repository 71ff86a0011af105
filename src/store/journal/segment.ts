import { type FileHandle, open, unlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname } from 'node:path';

/** One file of a journal. It is only ever appended to. */
export interface Segment {
  readonly path: string;
  /** Appends, and resolves when the bytes are on the disk. */
  append(bytes: Buffer): Promise<void>;
  bytes(): number;
  /** Nothing is appended any more. A second time changes nothing. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a new file. Its name is on the disk when this resolves. */
export async function openSegment(path: string): Promise<Segment> {
  const file = await open(path, 'ax', 0o600);
  try {
    await keepNames(dirname(path));
  } catch (error) {
    await file.close();
    throw error;
  }
  let length = 0;
  let closed: Promise<void> | null = null;
  return {
    path,
    bytes: () => length,
    async append(bytes) {
      await writeAll(file, bytes);
      await file.datasync();
      length += bytes.length;
    },
    close() {
      closed ??= file.close();
      return closed;
    },
    remove: () => unlink(path),
  };
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at);
    at += bytesWritten;
  }
}

/** Has a folder's own entries written to the disk: a file must not lose its name with the power. */
export async function keepNames(folder: string): Promise<void> {
  if (platform() === 'win32') return; // It opens no folders, and does this by itself.
  await using opened = await open(folder, 'r');
  await opened.sync();
}
