import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { folderAsSeenBy, type ServerUser } from './server-user.ts';
import { type Durability, SHARED_MEMORY, SUPERUSER, settingArguments } from './settings.ts';
import { runTool } from './tool-run.ts';

/** `folder` is the cluster: PostgreSQL's own files. */
export type ClusterReady =
  | { readonly kind: 'ready'; readonly folder: string; readonly password: string }
  | { readonly kind: 'unusable'; readonly reason: string };

export interface ClusterOrder {
  readonly dataDir: string;
  readonly binaries: Binaries;
  readonly user: ServerUser;
  readonly durability: Durability;
  readonly note: (message: string) => void;
}

const CLUSTER = 'postgres';
const UNFINISHED_PREFIX = 'postgres.new-';
const PASSWORD_FILE = 'postgres.password';
const PASSWORD_BYTES = 32;
const INITDB_TIMEOUT_MS = 60_000;

/** As containers have it that run under a bare number. */
const NAMELESS_USER = /could not look up effective user ID/;

export function clusterOf(dataDir: string): string {
  return join(dataDir, CLUSTER);
}

export async function makeDataDir(dataDir: string, user: ServerUser): Promise<void> {
  const isPassedThrough = user !== null && folderAsSeenBy(user, dataDir) === dataDir;
  await mkdir(dataDir, { recursive: true, mode: isPassedThrough ? 0o711 : 0o700 });
}

/** Finds the cluster of earlier starts, or makes one. */
export async function prepareCluster(order: ClusterOrder): Promise<ClusterReady> {
  const folder = clusterOf(order.dataDir);
  await removeUnfinished(order.dataDir);
  const owner = await ownerOf(folder);
  if (owner === null) return await makeCluster(order);
  const fault = await faultOf({ folder, owner }, order);
  if (fault !== null) return { kind: 'unusable', reason: fault };
  const passwordFile = join(order.dataDir, PASSWORD_FILE);
  const password = (await readFile(passwordFile, 'utf8').catch(() => '')).trim();
  if (password !== '') return { kind: 'ready', folder, password };
  return {
    kind: 'unusable',
    reason: `${passwordFile} is missing or cannot be read, and without it nobody can log in to ${folder}. Bring the file back, or move the folder away to begin anew`,
  };
}

/** Made under another name and moved when done: a folder of the right name is never a half-made one. */
async function makeCluster(order: ClusterOrder): Promise<ClusterReady> {
  const { dataDir, binaries, user } = order;
  const folder = clusterOf(dataDir);
  order.note(`making a PostgreSQL ${binaries.version} data folder in ${folder}`);
  const password = await writePassword(join(dataDir, PASSWORD_FILE), user);
  // A name of its own: the initdb of a start that was killed may still be writing under another one.
  const unfinished = await mkdtemp(join(dataDir, UNFINISHED_PREFIX));
  if (user !== null) await chown(unfinished, user.uid, user.gid);
  await using passwordFile = await open(join(dataDir, PASSWORD_FILE), 'r');
  const initdb = await runTool({
    file: binaries.initdb,
    args: initdbArguments({ ...order, folderAsSeen: folderAsSeenBy(user, unfinished) }),
    cwd: unfinished,
    user,
    timeoutMs: INITDB_TIMEOUT_MS,
    descriptor3: passwordFile.fd,
  });
  if (initdb.kind === 'failed') {
    await rm(unfinished, { recursive: true, force: true });
    const advice = NAMELESS_USER.test(initdb.reason) ? '. Start as a user whom /etc/passwd knows' : '';
    return { kind: 'unusable', reason: `making the data folder ${folder} failed: ${initdb.reason}${advice}` };
  }
  await rename(unfinished, folder);
  await keepNames(dataDir);
  return { kind: 'ready', folder, password };
}

/** Has the folder's own entries written to the disk: a cluster must not lose its name with the power. */
async function keepNames(folder: string): Promise<void> {
  if (platform() === 'win32') return; // It opens no folders, and does this by itself.
  await using opened = await open(folder, 'r');
  await opened.sync();
}

/** Null only when there is no such folder: any other doubt must not lead to a new cluster and a new password. */
async function ownerOf(folder: string): Promise<number | null> {
  try {
    return (await stat(folder)).uid;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** What is still being written to stays until the next start. */
async function removeUnfinished(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter((name) => name.startsWith(UNFINISHED_PREFIX));
  const removals = names.map((name) => rm(join(dataDir, name), { recursive: true, force: true }));
  await Promise.allSettled(removals);
}

function initdbArguments(order: ClusterOrder & { readonly folderAsSeen: string }): readonly string[] {
  // As a descriptor the file can be read even where the server's user cannot reach it by name.
  const pwfile = platform() === 'win32' ? join(order.dataDir, PASSWORD_FILE) : '/dev/fd/3';
  return [
    '-D',
    order.folderAsSeen,
    `--username=${SUPERUSER}`,
    `--pwfile=${pwfile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...settingArguments(SHARED_MEMORY),
    ...(order.durability === 'none' ? ['--no-sync'] : []),
  ];
}

/** The file belongs to the server's user, who reads it once, in initdb. */
async function writePassword(file: string, user: ServerUser): Promise<string> {
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  await rm(file, { force: true });
  await writeFile(file, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true });
  if (user !== null) await chown(file, user.uid, user.gid);
  return password;
}

/** Why the cluster cannot be used, and what to do. Null when it can. */
async function faultOf(
  { folder, owner }: { readonly folder: string; readonly owner: number },
  { binaries, user }: ClusterOrder,
): Promise<string | null> {
  const uid = user?.uid ?? process.geteuid?.() ?? owner;
  // Files tell a negative number, as macOS has it for nobody, without its sign.
  if (owner !== uid >>> 0) {
    return `${folder} belongs to user ${owner}, but PostgreSQL would run as user ${uid}. Start as the user who made it, or give it away: chown -R ${uid} ${folder}`;
  }
  const made = (await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (made === binaries.major) return null;
  if (made === '') return `${folder} is not a PostgreSQL data folder. Move it away`;
  return `${folder} was made by PostgreSQL ${made} and cannot be opened by PostgreSQL ${binaries.version}. Dump it with version ${made} and restore it here, or move it away to begin anew`;
}
