import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Sees to it that nothing is left behind. A shell of its own holds the other end of a pipe: when we are gone without a word,
 * as after `kill -9`, it ends our children and removes our folder.
 */
export interface Keeper {
  /** Ends `pid` with `signal` when we die. */
  watch(pid: number, signal: 'KILL' | 'QUIT'): void;
  /** The process has ended: its number may soon be somebody else's. */
  forget(pid: number): void;
  /** All is in order: nothing is to be done. */
  release(): Promise<void>;
  /** Does at once what it would do after our death. */
  sweep(): Promise<void>;
}

/** Processes are given five seconds to go; what a dying server still writes is removed by the second try. */
const SCRIPT = `trap '' INT TERM HUP
folder=$1
list=' '
while read -r word pid signal; do
  case $word in
    watch) list="$list$signal:$pid " ;;
    forget) list=$(printf '%s' "$list" | sed "s/ [A-Z]*:$pid / /") ;;
    released) exit 0 ;;
  esac
done
for entry in $list; do kill -"\${entry%%:*}" "\${entry#*:}"; done
tenths=0
for entry in $list; do
  while kill -0 "\${entry#*:}" && [ $tenths -lt 50 ]; do
    tenths=$((tenths + 1))
    sleep 0.1
  done
done
for entry in $list; do kill -KILL "\${entry#*:}"; done
case $folder in */switchyard-arena-*) rm -rf "$folder" || { sleep 1; rm -rf "$folder"; } ;; esac`;

/** `folder` is null when it is to be left. */
export function startKeeper(folder: string | null): Keeper {
  // In a session of its own it does not hear the terminal's Ctrl-C.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'arena-keeper', folder ?? ''], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const { stdin } = shell;
  stdin.on('error', () => undefined);
  shell.unref();
  return {
    watch: (pid, signal) => stdin.write(`watch ${pid} ${signal}\n`),
    forget: (pid) => stdin.write(`forget ${pid}\n`),
    async release() {
      stdin.end('released\n');
      await endOf(shell);
    },
    async sweep() {
      stdin.end();
      await endOf(shell);
    },
  };
}

async function endOf(shell: ChildProcess): Promise<void> {
  if (shell.exitCode !== null || shell.signalCode !== null) return;
  shell.ref();
  await once(shell, 'exit');
}
