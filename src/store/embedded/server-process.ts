import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { platform } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { pollUntil, within } from './poll.ts';
import { readPostmaster } from './postmaster.ts';
import type { ServerLog } from './server-log.ts';
import { folderAsSeenBy, identityOf, SERVER_ENVIRONMENT, type ServerUser } from './server-user.ts';
import { type Durability, LOOPBACK, serverArguments } from './settings.ts';
import { startWatcher } from './watcher.ts';

/** A server that was started, running or not any more. */
export interface ServerProcess {
  /** Undefined when it could not even be started; `ended` says why. */
  readonly pid: number | undefined;
  readonly port: number;
  /** How it ended, whenever that is. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it: fast, then immediately, then by force. Resolves when it is gone, after at most 22 s. */
  stop(): Promise<void>;
}

export type Launch =
  | { readonly kind: 'ready'; readonly process: ServerProcess }
  | { readonly kind: 'failed'; readonly reason: string };

export interface LaunchOrder {
  readonly postgres: string;
  readonly folder: string;
  readonly user: ServerUser;
  readonly durability: Durability;
  readonly log: ServerLog;
  /** How long the server may take to open its files, which includes repairs after a crash. */
  readonly timeoutMs: number;
}

const LAUNCHES_MAX = 5;
const LAUNCH_PAUSE_MS = 500;
const LOOK_EVERY_MS = 5;

/** Faults that pass: the port went to somebody else, or the sessions of a server that was killed are still leaving. */
const PASSING_FAULT = /could not create any TCP\/IP sockets|pre-existing shared memory block/;

const STOP_STEPS = [
  { signal: 'SIGINT', timeoutMs: 15_000 },
  { signal: 'SIGQUIT', timeoutMs: 5_000 },
  { signal: 'SIGKILL', timeoutMs: 2_000 },
] as const;

/** Starts the server on a free port and waits until it says that it takes connections. */
export async function launchServer(order: LaunchOrder): Promise<Launch> {
  for (let launches = 1; ; launches += 1) {
    const server = startServer(order, await findFreePort());
    const end = await readyOrEnd(server, order);
    if (end === null) return { kind: 'ready', process: server };
    await server.stop();
    const tail = await order.log.tail();
    if (launches === LAUNCHES_MAX || !PASSING_FAULT.test(tail)) return { kind: 'failed', reason: `${end}\n${tail}` };
    await sleep(LAUNCH_PAUSE_MS);
  }
}

function startServer(order: LaunchOrder, port: number): ServerProcess {
  const watcher = startWatcher(order.user);
  const folderAsSeen = folderAsSeenBy(order.user, order.folder);
  const server = spawn(order.postgres, serverArguments({ ...order, folderAsSeen, port }), {
    ...identityOf(order.user),
    cwd: order.folder,
    env: SERVER_ENVIRONMENT,
    // In a session of its own it does not hear the terminal's Ctrl-C: it must outlive the requests in flight. Windows
    // would open a window for it; there it ends with the console, as it does by its own means.
    detached: platform() !== 'win32',
    stdio: ['ignore', order.log.descriptor, order.log.descriptor],
    windowsHide: true,
  });
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  server.once('error', (error) => resolve(`PostgreSQL could not be started: ${error.message}`));
  server.once('exit', (status, signal) => resolve(`PostgreSQL ended with ${signal ?? `status ${status}`}`));
  if (server.pid !== undefined) watcher.watch(server.pid);
  void ended.then(watcher.release);
  server.unref();
  const stop = async (): Promise<void> => {
    server.ref();
    for (const { signal, timeoutMs } of STOP_STEPS) {
      server.kill(signal);
      if ((await within(ended, timeoutMs)) !== null) return;
    }
  };
  return { pid: server.pid, port, ended, stop };
}

/** Null when the server is ready; otherwise how it failed. */
async function readyOrEnd(server: ServerProcess, { folder, timeoutMs }: LaunchOrder): Promise<string | null> {
  const look = async (): Promise<{ readonly end: string | null } | null> => {
    const end = await within(server.ended, LOOK_EVERY_MS);
    if (end !== null) return { end };
    const postmaster = await readPostmaster(folder);
    return postmaster?.pid === server.pid && postmaster?.isReady ? { end: null } : null;
  };
  const seen = await pollUntil(look, { timeoutMs, everyMs: 0 });
  return seen === null ? `PostgreSQL took no connections within ${timeoutMs} ms` : seen.end;
}

/** Free now: between this look and the server's own somebody may take it, which PASSING_FAULT covers. */
async function findFreePort(): Promise<number> {
  await using probe = createServer();
  probe.listen(0, LOOPBACK);
  await once(probe, 'listening');
  const address = probe.address();
  if (address === null || typeof address === 'string') throw new TypeError(`no port in ${address}`);
  return address.port;
}
