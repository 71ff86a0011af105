import { type App, startApp } from '../app.ts';
import { makeLog } from '../telemetry/log.ts';
import { makeHangUpCheck } from '../wiring/hang-up.ts';
import { readPage } from '../wiring/read-page.ts';
import type { Setup } from '../wiring/read-setup.ts';
import type { SetupSource } from '../wiring/setup-source.ts';
import { newUuid, SYSTEM_CHANCE, SYSTEM_CLOCK } from '../wiring/system.ts';
import { EXIT } from './exit-code.ts';
import type { Shell } from './shell.ts';

/** How long requests under way may take to finish, once nothing new is taken. */
const DRAIN_MS = 25_000;

/** Runs the service from its start to the signal that ends it. Ends the process then, or answers why it did not start. */
export async function live(of: {
  readonly setup: Setup;
  /** Where it comes from, to be read again when it changes. Null: it never is. */
  readonly source: SetupSource | null;
  readonly shell: Shell;
  readonly bannerOf: (app: App) => string;
  /** What goes on beside it, until `ended` aborts. */
  readonly beside: (app: App, ended: AbortSignal) => void;
}): Promise<number> {
  const { setup, source, shell } = of;
  const { config } = setup;
  const log = makeLog({ level: config.logLevel, stream: process.stdout });
  const page = await readPage();
  if (page.kind === 'missing') log.warn(page.why);
  // It may come before there is anything to reload.
  const isHungUp = makeHangUpCheck({ hadTerminal: process.stdin.isTTY });
  const hangUps = holdHangUps(isHungUp);
  const start = await startApp({
    ...setup,
    source,
    page: page.kind === 'read' ? page.page : null,
    log,
    clock: SYSTEM_CLOCK,
    chance: SYSTEM_CHANCE,
    newUuid,
    note: (message) => shell.tell(`${message}\n`),
  });
  const isReloadAsked = hangUps.release();
  if (start.kind === 'failed') {
    shell.tell(`${start.message}\n`);
    return EXIT.failed;
  }
  const { app } = start;
  const ended = new AbortController();
  // First: whoever reads the banner may send a signal at once.
  const onStop = () => ended.abort();
  const stopped = stopOnSignals(app, { drainWaitMs: config.drainWaitMs, shell, isHungUp, onStop });
  if (isReloadAsked) app.reload();
  shell.tell(of.bannerOf(app));
  of.beside(app, ended.signal);
  await stopped;
  // Without waiting for what a package may have left open.
  process.exit(EXIT.ok);
}

/** SIGHUP asks for a reload, which waits for the end of the start. Of a terminal that closes the process ends, as by itself. */
function holdHangUps(isHungUp: () => boolean) {
  let wasAsked = false;
  const hold = () => {
    wasAsked = true;
    if (!isHungUp()) return;
    process.off('SIGHUP', hold);
    process.kill(process.pid, 'SIGHUP');
  };
  process.on('SIGHUP', hold);
  return {
    /** Whether it came. */
    release() {
      process.off('SIGHUP', hold);
      return wasAsked;
    },
  };
}

/** Resolves when it has stopped. Whoever presses Ctrl-C does not want to wait for load balancers. Each further signal ends the step that is under way. */
function stopOnSignals(
  app: App,
  of: {
    readonly drainWaitMs: number;
    readonly shell: Shell;
    /** Whether SIGHUP is of a terminal that closes. */
    readonly isHungUp: () => boolean;
    readonly onStop: () => void;
  },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isStopping = false;
  const stop = (signal: string, waitMs: number) => {
    if (isStopping) return app.hurry();
    isStopping = true;
    of.onStop();
    const wait = waitMs === 0 ? '' : `not ready any more, but serving for ${waitMs / 1000} s; then `;
    of.shell.tell(`${signal}: ${wait}finishing what runs, for at most ${DRAIN_MS / 1000} s\n`);
    app.stop({ waitMs, graceMs: DRAIN_MS }).then(resolve, reject);
  };
  process.on('SIGTERM', () => stop('SIGTERM', of.drainWaitMs));
  process.on('SIGINT', () => stop('SIGINT', 0));
  process.on('SIGHUP', () => (of.isHungUp() ? stop('SIGHUP', 0) : app.reload()));
  return promise;
}
