import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Keeper } from './keeper.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_MS = 120_000;
const STOP_MS = 40_000;
const READY_EVERY_MS = 50;
const READY_MS_MAX = 2_000;
const SAID_CHARS_MAX = 20_000;

export interface ReplicaOrder {
  readonly name: string;
  /** Its own: `DATA_DIR`, and its log. It keeps them over restarts. */
  readonly folder: string;
  readonly keeper: Keeper;
  readonly env: Readonly<Record<string, string>>;
  /** Told when it ends without having been told to: that is a fault, whatever is being shown. */
  readonly onDeath: (how: string) => void;
  /** Words for Node before the service's own file, such as a preload. */
  readonly nodeArguments?: readonly string[];
}

/** One process of the service, started from its real entry point. */
export interface Replica extends AsyncDisposable {
  readonly name: string;
  readonly dataDir: string;
  /** Another one after each start. */
  readonly url: string;
  readonly pid: number;
  readonly isRunning: boolean;
  /** Starts it, and waits until it listens. */
  start(): Promise<void>;
  /** Waits until `/readyz` says that it can take requests. */
  whenReady(withinMs?: number): Promise<void>;
  isReady(): Promise<boolean>;
  /** `kill -9`, at this very moment. */
  strike(): void;
  /** `kill -9`. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Answers the exit code, null when it had to be killed. */
  stop(): Promise<number | null>;
  /** What it has logged so far, one object a line. */
  readLog(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** What it has said to people since it was last started. */
  said(): string;
}

export function makeReplica(order: ReplicaOrder): Replica {
  const dataDir = join(order.folder, 'data');
  const logPath = join(order.folder, 'log.jsonl');
  let running: Started | null = null;
  /** Those that we end ourselves. */
  const doomed = new WeakSet<ChildProcess>();
  const present = (): Started => {
    if (running === null) throw new Error(`${order.name} is not running`);
    return running;
  };
  const isRunning = () => running !== null && !hasEnded(running.child);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const { child } = present();
    doomed.add(child);
    running = null;
    if (hasEnded(child)) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
    return child.exitCode;
  };
  /** Null when it is; otherwise what it says is missing. */
  const unreadiness = async (): Promise<string | null> => {
    const { child, url } = present();
    if (hasEnded(child)) throw new Error(`${order.name} ended by itself`);
    try {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_MS_MAX) });
      const said = await answer.text();
      return answer.status === 200 ? null : said;
    } catch (error) {
      return String(error);
    }
  };
  return {
    name: order.name,
    dataDir,
    get url() {
      return present().url;
    },
    get pid() {
      return present().child.pid ?? 0;
    },
    get isRunning() {
      return isRunning();
    },
    async start() {
      const started = await launch({ ...order, env: { ...order.env, DATA_DIR: dataDir } }, logPath);
      const { child, said } = started;
      child.once('exit', (code, signal) => {
        if (!doomed.has(child)) order.onDeath(`${order.name} ended by itself with ${signal ?? code}: ${said()}`);
      });
      running = started;
    },
    async whenReady(withinMs = START_MS) {
      const endsAtMs = performance.now() + withinMs;
      for (let why = await unreadiness(); why !== null; why = await unreadiness()) {
        if (performance.now() > endsAtMs) throw new Error(`${order.name} was not ready within ${withinMs} ms: ${why}`);
        await sleep(READY_EVERY_MS);
      }
    },
    isReady: async () => isRunning() && (await unreadiness()) === null,
    strike() {
      const { child } = present();
      doomed.add(child);
      child.kill('SIGKILL');
    },
    async kill() {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    async readLog() {
      const text = await readFile(logPath, 'utf8').catch(() => '');
      return text.split('\n').flatMap(parseLine);
    },
    said: () => running?.said() ?? '',
    async [Symbol.asyncDispose]() {
      if (running !== null) await end('SIGKILL');
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly said: () => string;
}

async function launch(order: ReplicaOrder, logPath: string): Promise<Started> {
  const log = createWriteStream(logPath, { flags: 'a', mode: 0o600 });
  const child = spawn(process.execPath, [...(order.nodeArguments ?? []), MAIN], {
    // Not the checkout: a developer's own .env must not reach the arena.
    cwd: order.folder,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', PORT: '0', LOG_LEVEL: 'info', ...order.env },
    // Its log goes through us: a file of its own could not grow either, when its disk is full.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout?.pipe(log);
  const { pid } = child;
  if (pid !== undefined) {
    order.keeper.watch(pid, 'KILL');
    child.once('exit', () => order.keeper.forget(pid));
  }
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = () => reject(new Error(`${order.name} did not listen within ${START_MS} ms: ${said}`));
  const timer = setTimeout(late, START_MS);
  child.once('error', reject);
  child.once('exit', (code, signal) => reject(new Error(`${order.name} ended with ${signal ?? code}: ${said}`)));
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-SAID_CHARS_MAX);
    const url = /running at (http:\/\/\S+)/.exec(said)?.[1];
    if (url !== undefined) resolve(url);
  });
  try {
    return { child, url: await promise, said: () => said };
  } finally {
    clearTimeout(timer);
  }
}

/** A line that a killed replica left half written is no line. */
function parseLine(line: string): readonly Readonly<Record<string, unknown>>[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
