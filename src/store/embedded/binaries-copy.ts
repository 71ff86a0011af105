import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

interface CopyOrder {
  readonly from: string;
  readonly tempDir: string;
  readonly note: (message: string) => void;
}

/** Every folder of the package and every file that a running program may read, relative to the package. */
interface Contents {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

const NATIVE = 'native';
const OPEN_FOLDER = 0o755;
const OPEN_PROGRAM = 0o755;
const OPEN_FILE = 0o644;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Copies the package to the temporary folder, open to every user, and answers the copy's folder. A copy is kept for the
 * next start. It is trusted only when it is ours and whole: others write to that folder too, and cleaners empty it.
 */
export async function copyBinaries({ from, tempDir, note }: CopyOrder): Promise<string> {
  const copy = join(tempDir, `switchyard-postgres-${await versionOf(from)}-${process.getuid?.() ?? 'user'}`);
  const contents = await listContents(from);
  const isUsable = async (): Promise<boolean> => (await isOurs(copy)) && (await isWhole({ from, copy, contents }));
  if (await isUsable()) return copy;
  note(`copying PostgreSQL's programs to ${copy}, where the server's user can reach them`);
  const fresh = await mkdtemp(join(tempDir, 'switchyard-postgres-new-'));
  await copyContents({ from, to: fresh, contents });
  if (await isOurs(copy)) await rm(copy, { recursive: true, force: true });
  try {
    await rename(fresh, copy);
  } catch {
    // Another start was quicker, or somebody else has taken the name.
    if (!(await isUsable())) return fresh;
    await rm(fresh, { recursive: true, force: true });
  }
  return copy;
}

async function versionOf(folder: string): Promise<string> {
  const described: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const isNumbered = typeof described === 'object' && described !== null && 'version' in described;
  return isNumbered ? `${basename(folder)}-${described.version}` : basename(folder);
}

async function listContents(folder: string): Promise<Contents> {
  const entries = await readdir(join(folder, NATIVE), { recursive: true, withFileTypes: true });
  const pathOf = (entry: { parentPath: string; name: string }): string =>
    join(entry.parentPath, entry.name).slice(folder.length + 1);
  return {
    folders: [NATIVE, ...entries.filter((entry) => entry.isDirectory()).map(pathOf)],
    // Links are made anew in the copy; archives are for those who build programs.
    files: entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.a')).map(pathOf),
  };
}

/** Whether the folder is there, a real one, made by us, and closed to the pens of others. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  if (found === null || !found.isDirectory()) return false;
  return found.uid === (process.getuid?.() ?? found.uid) && (found.mode & WRITABLE_BY_OTHERS) === 0;
}

async function isWhole(pair: {
  readonly from: string;
  readonly copy: string;
  readonly contents: Contents;
}): Promise<boolean> {
  const sizeOf = async (path: string): Promise<number | null> => {
    return await lstat(path).then(
      ({ size }) => size,
      () => null,
    );
  };
  const same = await Promise.all(
    pair.contents.files.map(
      async (file) => (await sizeOf(join(pair.from, file))) === (await sizeOf(join(pair.copy, file))),
    ),
  );
  return !same.includes(false);
}

async function copyContents(order: {
  readonly from: string;
  readonly to: string;
  readonly contents: Contents;
}): Promise<void> {
  await chmod(order.to, OPEN_FOLDER);
  for (const folder of order.contents.folders) {
    await mkdir(join(order.to, folder), { recursive: true });
    await chmod(join(order.to, folder), OPEN_FOLDER);
  }
  await Promise.all(
    order.contents.files.map(async (file) => {
      await copyFile(join(order.from, file), join(order.to, file));
      await chmod(join(order.to, file), file.startsWith(join(NATIVE, 'bin')) ? OPEN_PROGRAM : OPEN_FILE);
    }),
  );
}
