import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** The journal and the embedded server need some room; where there is less than `least`, they stop soon. */
const FREE_BYTES = { least: 100_000_000, enough: 1_000_000_000 } as const;

/** How long a service that is there already may take to say that it lives. */
const LIVE_MS_MAX = 2_000;

/** Looks at the folder of this replica's journal, without making it. */
export async function checkDisk(store: Config['store']): Promise<readonly Finding[]> {
  if (store.kind === 'memory') return [];
  const folder = resolve(store.dataDir);
  const there = await nearest(folder);
  try {
    await access(there, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(there);
    return [judgeRoom(folder, bavail * bsize)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      fault(
        'disk',
        `DATA_DIR ${folder} cannot be written: ${why}`,
        'Name a folder with DATA_DIR that this user may write to.',
      ),
    ];
  }
}

function judgeRoom(folder: string, freeBytes: number): Finding {
  const what = `DATA_DIR ${folder} has ${(freeBytes / 1e9).toFixed(1)} GB free`;
  const mend = 'Make room, or name a folder on another disk with DATA_DIR.';
  if (freeBytes < FREE_BYTES.least) return fault('disk', what, mend);
  return freeBytes < FREE_BYTES.enough ? warning('disk', what, mend) : ok('disk', what);
}

/** The folder itself, or the one above it in which it would be made. */
async function nearest(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isAbsent && dirname(folder) !== folder ? nearest(dirname(folder)) : folder;
  }
}

/** Takes the port, and gives it back at once. */
export async function checkPort({ host, port }: Pick<Config, 'host' | 'port'>): Promise<readonly Finding[]> {
  const code = await listenFault({ host, port });
  const where = `${host}:${port}`;
  switch (code) {
    case null:
      return [ok('port', port === 0 ? 'PORT=0 takes any free port' : `${where} is free`)];
    case 'EADDRINUSE':
      if (await isLive({ host, port })) {
        return [
          warning(
            'port',
            `${where} is in use: a gateway runs there already`,
            'Stop it before another one starts there, or choose another PORT.',
          ),
        ];
      }
      return [fault('port', `${where} is in use by another program`, 'Stop that program, or choose another PORT.')];
    case 'EACCES':
      return [fault('port', `this user may not listen on ${where}`, 'Choose a PORT from 1024 on.')];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [fault('port', `${host} is no address of this machine`, 'Mend HOST: 127.0.0.1, or 0.0.0.0 for all.')];
    default:
      return [fault('port', `nobody can listen on ${where} (${code})`, 'Mend HOST and PORT.')];
  }
}

/** The system's word for why nobody can listen there. Null: one can. */
function listenFault({ host, port }: Pick<Config, 'host' | 'port'>): Promise<string | null> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', (error) => settle('code' in error ? String(error.code) : error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => settle(null)));
  });
}

async function isLive({ host, port }: Pick<Config, 'host' | 'port'>): Promise<boolean> {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}/livez`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIVE_MS_MAX), redirect: 'error' });
    return (await response.text()).includes('"live"');
  } catch {
    return false;
  }
}

/** Who may come in, as far as it may surprise. */
export function checkAccess({ auth, adminKey, contentKeptDays }: Config): readonly Finding[] {
  const keyless =
    auth === 'keys' && adminKey === null
      ? warning(
          'access',
          'ADMIN_KEY is not set: who has no key yet cannot make any',
          'Make one with `openssl rand -hex 32`, unless a key with the scope keys:admin is at hand.',
        )
      : ok('access', auth === 'keys' ? 'callers need keys' : 'AUTH=off: whoever is on this machine may do everything');
  return contentKeptDays === null
    ? [keyless]
    : [keyless, warning('access', `prompts and answers are kept for ${contentKeptDays} days (RECORD_CONTENT)`, null)];
}
