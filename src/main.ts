import { type App, startApp } from './app.ts';
import { makeLog } from './telemetry/log.ts';
import { bannerOf } from './wiring/banner.ts';
import { readEnvFile } from './wiring/env-file.ts';
import { makeHangUpCheck } from './wiring/hang-up.ts';
import { printFault } from './wiring/read-setup.ts';
import { openSetupSource } from './wiring/setup-source.ts';
import { newUuid, SYSTEM_CHANCE, SYSTEM_CLOCK } from './wiring/system.ts';
import { version } from './wiring/version.ts';

const USAGE = `Usage: npm start [-- --help | --version]

Serves the gateway. Everything is set by environment variables or a .env file: docs/configuration.md lists them.
Check a registry file before starting with it: npm run check-config -- FILE`;

const EXIT = { ok: 0, failed: 1, usage: 2, badConfig: 78 } as const;

/** How long requests under way may take to finish, once nothing new is taken. */
const DRAIN_MS = 25_000;

const code = await main(process.argv.slice(2));
if (code !== null) process.exitCode = code;

/** Null: the service runs, and the signals decide how the process ends. */
async function main(words: readonly string[]): Promise<number | null> {
  if (words.includes('--help')) return say(USAGE, EXIT.ok);
  if (words.includes('--version')) return say(version, EXIT.ok);
  if (words.length > 0) return complain([USAGE], EXIT.usage);
  return serve();
}

async function serve(): Promise<number | null> {
  const source = openSetupSource(process.env);
  readEnvFile();
  const { result } = await source.read();
  if (result.kind === 'invalid') return complain(result.faults.map(printFault), EXIT.badConfig);
  const { config, registry, endpoints, persisted } = result.setup;
  let app: App | null = null;
  const isHungUp = makeHangUpCheck({ hadTerminal: process.stdin.isTTY });
  // Before it starts: whoever sends the signal then would end it.
  process.on('SIGHUP', () => (isHungUp() ? process.kill(process.pid, 'SIGINT') : app?.reload()));

  const start = await startApp({
    config,
    registry,
    endpoints,
    persisted,
    source,
    log: makeLog({ level: config.logLevel, stream: process.stdout }),
    clock: SYSTEM_CLOCK,
    chance: SYSTEM_CHANCE,
    newUuid,
    note: (message) => console.error(message),
  });
  if (start.kind === 'failed') return complain([start.message], EXIT.failed);
  app = start.app;
  // First: whoever reads the banner may send a signal at once.
  stopOnSignals(app, config.drainWaitMs);
  console.error(bannerOf(app, config, endpoints));
  return null;
}

/** Whoever presses Ctrl-C does not want to wait for load balancers. Each further signal ends the step that is under way. */
function stopOnSignals(app: App, drainWaitMs: number): void {
  let isStopping = false;
  const stop = async (signal: string, waitMs: number) => {
    if (isStopping) return app.hurry();
    isStopping = true;
    const wait = waitMs === 0 ? '' : `not ready any more, but serving for ${waitMs / 1000} s; then `;
    console.error(`${signal}: ${wait}finishing what runs, for at most ${DRAIN_MS / 1000} s`);
    await app.stop({ waitMs, graceMs: DRAIN_MS });
    process.exit(EXIT.ok);
  };
  process.on('SIGTERM', () => void stop('SIGTERM', drainWaitMs));
  process.on('SIGINT', () => void stop('SIGINT', 0));
}

function say(text: string, exitCode: number): number {
  console.log(text);
  return exitCode;
}

function complain(messages: readonly string[], exitCode: number): number {
  for (const message of messages) console.error(message);
  return exitCode;
}
