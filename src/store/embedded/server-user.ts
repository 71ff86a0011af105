import { stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname } from 'node:path';

/** The account PostgreSQL runs under. Null: our own, which is so unless we are root, whom PostgreSQL refuses. */
export type ServerUser = { readonly uid: number; readonly gid: number } | null;

// macOS numbers `nobody` -2, and initdb insists that the number has a name.
const NOBODY = platform() === 'darwin' ? { uid: -2, gid: -2 } : { uid: 65_534, gid: 65_534 };

/** Environment of everything we start: no more, so that API keys do not show in the environment of `nobody`'s processes. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;

export function chooseServerUser(): ServerUser {
  return process.geteuid?.() === 0 ? NOBODY : null;
}

/** What `spawn` needs to become that user. libuv drops the supplementary groups with it. */
export function identityOf(user: ServerUser): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid };
}

/**
 * The name under which the server finds a folder that we make its working folder. Linux offers one that needs no leave
 * to pass through the folders above, such as a home folder that is closed to everybody but root.
 */
export function folderAsSeenBy(user: ServerUser, folder: string): string {
  return user !== null && platform() === 'linux' ? '/proc/self/cwd' : folder;
}

/** Whether every user can read the file. Goes by the mode bits: an access list may let in more than we say. */
export async function isOpenToAll(file: string): Promise<boolean> {
  if (((await stat(file)).mode & OTHERS_READ) === 0) return false;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & OTHERS_ENTER) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
