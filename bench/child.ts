import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';

const READY = /listening on (\d+)|running at http:\/\/[^:]+:(\d+)/;
const START_MS = 30_000;
const STOP_MS = 10_000;

/** A server in a process of its own, so that each has a core to itself as far as there is one. */
export interface Child extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** For the child: listens on any free port of loopback and tells its parent which. */
export function listenAndTell(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    console.error(`listening on ${address.port}`);
  });
}

/** Starts a script of this repository and waits until it says where it listens. */
export async function startChild(script: string, env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(process.execPath, [path], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', DRAIN_WAIT_MS: '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const port = await portOf(child, script);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: () => stop(child),
  };
}

async function portOf(child: ChildProcess, script: string): Promise<number> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const timer = setTimeout(() => reject(new Error(`${script} was not ready in ${START_MS} ms: ${said}`)), START_MS);
  child.once('exit', (code) => reject(new Error(`${script} ended with ${code}: ${said}`)));
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const match = READY.exec(said);
    if (match !== null) resolve(Number(match[1] ?? match[2]));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}
