import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { takeFolder } from '../folder-lock.ts';
import { type Binaries, type FindPackage, findBinaries, findInstalledPackage } from './binaries.ts';
import { clusterOf, makeDataDir, prepareCluster } from './data-folder.ts';
import { within } from './poll.ts';
import { endPreviousServer } from './previous-server.ts';
import { openServerLog } from './server-log.ts';
import { launchServer, type ServerProcess } from './server-process.ts';
import { chooseServerUser, type ServerUser } from './server-user.ts';
import { DATABASE, type Durability, LOOPBACK, SUPERUSER } from './settings.ts';

export interface EmbeddedOptions {
  /** Made when missing. PostgreSQL's files live in its `postgres`, beside their password, log and lock. */
  readonly dataDir: string;
  /** Told what takes time, for people. */
  readonly note: (message: string) => void;
  /** How long PostgreSQL may take to open its files, repairs after a crash included. Default 60 s. */
  readonly startTimeoutMs?: number;
  /** Default `kept`. */
  readonly durability?: Durability;
  /** Where the programs are copied to when the server's user cannot reach the checkout. Default: the system's. */
  readonly tempDir?: string;
  /** Default: among the packages installed beside us. */
  readonly findPackage?: FindPackage;
}

export type EmbeddedStart =
  | { readonly kind: 'started'; readonly server: EmbeddedServer }
  /** No embedded server can run on this machine; the caller may go on with another store. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** Another living service has this folder. */
  | { readonly kind: 'inUse'; readonly reason: string }
  /** It should have worked. The reason says what to do and has the end of the server's log. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface EmbeddedServer extends AsyncDisposable {
  /** With the password in it: for the driver, not for the log. */
  readonly url: string;
  /** Such as `18.4`. */
  readonly version: string;
  /** How the server ended, whenever that is: by `stop`, or on its own, which nobody repairs. Never rejects. */
  readonly ended: Promise<EmbeddedEnd>;
  /** Ends the server in good order and gives the folder back. Sessions still open are cut. */
  stop(): Promise<void>;
}

type EmbeddedEnd = { readonly kind: 'stopped' } | { readonly kind: 'died'; readonly reason: string };

const START_TIMEOUT_MS = 60_000;
const GREETING_TIMEOUT_MS = 10_000;
const LOG_FILE = 'postgres.log';

/** Starts a PostgreSQL server for this process alone. It is stopped with `stop`, and ends by itself when we die. */
export async function startEmbeddedServer(options: EmbeddedOptions): Promise<EmbeddedStart> {
  const { note, findPackage = findInstalledPackage, tempDir = tmpdir() } = options;
  const user = chooseServerUser();
  try {
    const found = await findBinaries({ user, findPackage, tempDir, note });
    if (found.kind === 'missing') return { kind: 'unavailable', reason: found.reason };
    return await openFolder({ options, user, binaries: found.binaries });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return failed({
      fault: `${options.dataDir} cannot be used: ${error.message}`,
      advice: 'Check its disk, and that this user may write there',
    });
  }
}

interface Opening {
  readonly options: EmbeddedOptions;
  readonly user: ServerUser;
  readonly binaries: Binaries;
}

async function openFolder({ options, user, binaries }: Opening): Promise<EmbeddedStart> {
  const { note, durability = 'kept', startTimeoutMs = START_TIMEOUT_MS } = options;
  await makeDataDir(options.dataDir, user);
  const dataDir = await realpath(options.dataDir);
  await using opened = new AsyncDisposableStack();
  const taken = takeFolder(dataDir);
  if (taken.kind === 'taken') return inUse({ dataDir, owner: taken.owner });
  opened.use(taken.lock);

  const previous = await endPreviousServer(clusterOf(dataDir), note);
  if (previous.kind === 'stuck') {
    const fault = `an earlier PostgreSQL server (process ${previous.pid}) does not leave ${dataDir}`;
    return failed({ fault, advice: `End it: kill -9 ${previous.pid}` });
  }
  const cluster = await prepareCluster({ dataDir, binaries, user, durability, note });
  if (cluster.kind === 'unusable') return { kind: 'failed', reason: cluster.reason };
  const { folder, password } = cluster;

  const log = opened.use(await openServerLog(join(dataDir, LOG_FILE)));
  const advice = `Its log is ${log.path}`;
  const launch = await launchServer({ ...binaries, folder, user, durability, log, timeoutMs: startTimeoutMs });
  if (launch.kind === 'failed') return failed({ fault: launch.reason, advice });
  opened.defer(() => launch.process.stop());
  const url = `postgres://${SUPERUSER}:${password}@${LOOPBACK}:${launch.process.port}/${DATABASE}`;
  const refusal = await greet(url);
  if (refusal !== null) return failed({ fault: `PostgreSQL in ${folder} does not let us in: ${refusal}`, advice });
  const server = { url, version: binaries.version, process: launch.process, readLog: log.tail };
  return { kind: 'started', server: makeEmbeddedServer(server, opened.move()) };
}

function makeEmbeddedServer(
  server: { url: string; version: string; process: ServerProcess; readLog: () => Promise<string> },
  opened: AsyncDisposableStack,
): EmbeddedServer {
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    stopping ??= opened.disposeAsync();
    await stopping;
  };
  const ended = server.process.ended.then(async (end): Promise<EmbeddedEnd> => {
    if (stopping !== null) return { kind: 'stopped' };
    return { kind: 'died', reason: `${end}\n${await server.readLog().catch(() => '')}` };
  });
  return { url: server.url, version: server.version, ended, stop, [Symbol.asyncDispose]: stop };
}

/** Logs in once, so that a wrong password or a stranger on the port shows here. Null when it worked, or why not. */
async function greet(url: string): Promise<string | null> {
  const sql = postgres(url, { max: 1, connect_timeout: GREETING_TIMEOUT_MS / 1_000 });
  const greeting = sql`select 1`.then(
    () => ({ refusal: null }),
    (error: unknown) => ({ refusal: String(error) }),
  );
  const answer = await within(greeting, GREETING_TIMEOUT_MS);
  await sql.end({ timeout: 1 });
  return answer === null ? `no answer within ${GREETING_TIMEOUT_MS} ms` : answer.refusal;
}

function inUse({ dataDir, owner }: { readonly dataDir: string; readonly owner: string | null }): EmbeddedStart {
  const reason = `${dataDir} is in use by another Switchyard (${owner ?? 'just starting'}). Stop that one, give this one a folder of its own with DATA_DIR, or let both share a server with DATABASE_URL`;
  return { kind: 'inUse', reason };
}

function failed({ fault, advice }: { readonly fault: string; readonly advice: string }): EmbeddedStart {
  return { kind: 'failed', reason: `${fault}\n${advice}` };
}

/** The system's refusals, as of a full disk, from the file calls and from SQLite; anything else is a bug of ours. */
function isSystemError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    ('errno' in error && typeof error.errno === 'number') || ('errcode' in error && typeof error.errcode === 'number')
  );
}
