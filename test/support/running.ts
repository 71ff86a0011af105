import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_MS = 60_000;
const STOP_MS = 30_000;

/** The service as a user starts it: a process of its own. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** What it said to people so far. */
  readonly said: () => string;
  /** All that it wrote to its log so far, as it came. */
  readonly printed: () => string;
  /** The lines of its log so far. */
  readonly logged: () => readonly Record<string, unknown>[];
  /** Sends a GraphQL document. */
  readonly ask: (query: string, variables?: object) => Promise<{ data?: Record<string, unknown>; errors?: unknown[] }>;
  /** Ends it with a signal and waits. Answers the exit code, null after a kill. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
}

export type Env = Readonly<Record<string, string>>;

/** Starts the service on a free port and waits for its banner. `onSaid` is called with each piece that it says to people meanwhile. */
export async function startService(
  env: Env,
  words: readonly string[] = [],
  onSaid: (said: string, child: ChildProcess) => void = () => undefined,
): Promise<Service> {
  const service = launch({ PORT: '0', LOG_LEVEL: 'info', ...env }, words);
  service.process.stderr?.on('data', (chunk: Buffer) => onSaid(chunk.toString(), service.process));
  const url = await service.ready;
  return { ...service, url, ask: (query, variables) => ask(url, query, variables) };
}

/** Starts the service where it must not come up, and answers how it ended and what it said. */
export async function startInVain(env: Env, words: readonly string[] = []) {
  const service = launch({ PORT: '0', ...env }, words);
  service.ready.catch(() => undefined);
  const code = service.process.exitCode ?? (await once(service.process, 'close'))[0];
  return { code: Number(code), said: service.said(), printed: service.printed() };
}

function launch(env: Env, words: readonly string[] = []) {
  // A journal of its own, gone with the test; a test that starts again on the same folder names it.
  const scratch = env.DATA_DIR === undefined ? mkdtempSync(join(tmpdir(), 'switchyard-service-')) : null;
  const removeScratch = () => {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  };
  const child = spawn(process.execPath, [MAIN, ...words], {
    // Not the checkout: a developer's own .env must not make the tests call real providers.
    cwd: tmpdir(),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      MOCK_LATENCY_SCALE: '0',
      MOCK_FAILURE_RATE: '0',
      DRAIN_WAIT_MS: '0',
      // More patience than a user has: the tests' machine is busy.
      STORE_TIMEOUT_MS: '5000',
      ...(scratch === null ? {} : { DATA_DIR: scratch }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  let stdout = '';
  const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`not ready in ${START_MS} ms: ${stderr}`)), START_MS);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    const url = /running at (http:\/\/\S+)/.exec(stderr)?.[1];
    if (url !== undefined) resolve(url);
  });
  child.once('close', (code) => {
    removeScratch();
    reject(new Error(`ended with ${code}: ${stderr}`));
  });
  const settled = () => clearTimeout(timer);
  ready.then(settled, settled);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'close');
    child.kill(signal);
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(kill);
    return child.exitCode;
  };
  return {
    process: child,
    ready,
    said: () => stderr,
    printed: () => stdout,
    logged: () =>
      stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line): Record<string, unknown> => JSON.parse(line)),
    end,
    [Symbol.asyncDispose]: async () => {
      // Does not wait for load balancers, also when it was told by SIGTERM to do so.
      await end('SIGINT');
    },
  };
}

async function ask(url: string, query: string, variables: object = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return JSON.parse(await response.text());
}
