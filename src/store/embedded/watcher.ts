import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { platform } from 'node:os';
import { identityOf, SERVER_ENVIRONMENT, type ServerUser } from './server-user.ts';

/** Ends the server when this process dies without a word. */
export interface Watcher {
  /** Says which process to end. */
  watch(pid: number): void;
  /** Sends the watcher home: the server is gone. */
  release(): void;
}

const FAST_STOP_TENTHS_MAX = 150;

/**
 * Reads the server's number, then waits for a second line. A line is our release; the end of the pipe without one means
 * that we are dead, by `kill -9` perhaps. It outlives the signals that a supervisor sends to all of our processes.
 */
const SCRIPT = `trap '' INT TERM HUP
read -r server || exit 0
read -r released && exit 0
kill -INT "$server" || exit 0
tenths=0
while kill -0 "$server"; do
  [ $tenths -lt ${FAST_STOP_TENTHS_MAX} ] || { kill -QUIT "$server"; exit 0; }
  tenths=$((tenths + 1))
  sleep 0.1
done`;

export function startWatcher(user: ServerUser): Watcher {
  // Windows has no /bin/sh: there a killed service leaves its server behind, and the next start ends it.
  if (platform() === 'win32') return { watch: () => undefined, release: () => undefined };
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    ...identityOf(user),
    cwd: '/',
    env: SERVER_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const pipe = shell.stdin;
  // A system without a shell, or a watcher that somebody killed: the server still runs, only less guarded.
  shell.on('error', () => undefined);
  pipe.on('error', () => undefined);
  shell.unref();
  if (pipe instanceof Socket) pipe.unref();
  return {
    watch: (pid) => pipe.write(`${pid}\n`),
    release: () => pipe.end('released\n'),
  };
}
