import type { Config } from '../config.ts';
import type { ReplicaId } from '../core/ids.ts';
import type { Registry } from '../core/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { DurableStore, Store } from '../ports/store.ts';
import type { FindPackage } from '../store/embedded/binaries.ts';
import { startEmbeddedServer } from '../store/embedded/server.ts';
import { makeMemoryStore } from '../store/memory/store.ts';
import { migrateDatabase, schemaFaultOf } from '../store/postgres/migrate.ts';
import { openPostgresStore } from '../store/postgres/store.ts';
import { type LateStore, makeLateStore } from './late-store.ts';

/** How often a database that cannot be reached at start is tried again. */
const RETRY_MS = 2_000;

export interface StoreNeeds {
  readonly registry: Registry;
  readonly replica: ReplicaId;
  readonly clock: Clock;
  readonly log: Log;
  /** Told what takes time and what people must know. */
  readonly note: (message: string) => void;
  /** Where the embedded server's package is looked for. Default: among the packages installed beside us. */
  readonly findPackage?: FindPackage;
}

/** `where` says for people where state is kept; `warning` what they must know of it. */
export type StoreOpened =
  | {
      readonly kind: 'opened';
      readonly store: Store;
      readonly where: string;
      readonly warning: string | null;
      readonly close: () => Promise<void>;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** Opens the store that the settings ask for. Nothing is ever replaced by another store without saying so. */
export async function openStore(choice: Config['store'], needs: StoreNeeds): Promise<StoreOpened> {
  switch (choice.kind) {
    case 'memory':
      return openMemory(needs, 'STORE=memory');
    case 'embedded':
      return openEmbedded(choice, needs);
    case 'postgres':
      return openRemote(choice, needs);
    default:
      return choice satisfies never;
  }
}

function openMemory(needs: StoreNeeds, why: string): StoreOpened {
  const store = makeMemoryStore({ ...needs, now: needs.clock.now });
  return {
    kind: 'opened',
    store,
    where: 'memory of this process',
    warning: `nothing survives a restart: spend, budgets, health and history are kept in memory only (${why})`,
    close: async () => store[Symbol.asyncDispose](),
  };
}

async function openEmbedded(
  choice: Extract<Config['store'], { kind: 'embedded' }>,
  needs: StoreNeeds,
): Promise<StoreOpened> {
  const start = await startEmbeddedServer({ ...needs, dataDir: choice.dataDir });
  switch (start.kind) {
    case 'started': {
      const { server } = start;
      await using opened = new AsyncDisposableStack();
      opened.use(server);
      await migrateDatabase(server.url);
      const store = opened.use(
        await openPostgresStore({ ...needs, kind: 'embedded', url: server.url, timeoutMs: choice.timeoutMs }),
      );
      const kept = opened.move();
      void server.ended.then((end) => {
        if (end.kind === 'died') needs.log.error('the embedded PostgreSQL ended by itself', { reason: end.reason });
      });
      return {
        kind: 'opened',
        store,
        where: `embedded PostgreSQL ${server.version} in ${choice.dataDir}/`,
        warning: null,
        close: () => kept.disposeAsync(),
      };
    }
    case 'unavailable':
      return openMemory(needs, start.reason);
    case 'inUse':
    case 'failed':
      return choice.fallback === 'memory'
        ? openMemory(needs, `STORE_FALLBACK=memory, because ${start.reason}`)
        : { kind: 'failed', message: start.reason };
    default:
      return start satisfies never;
  }
}

type Remote = Extract<Config['store'], { kind: 'postgres' }>;

async function openRemote(choice: Remote, needs: StoreNeeds): Promise<StoreOpened> {
  const { host } = new URL(choice.url);
  const first = await tryRemote(choice, needs);
  if (first.kind === 'there') {
    const { store } = first;
    const close = async () => store[Symbol.asyncDispose]();
    return { kind: 'opened', store, where: `PostgreSQL at ${host}`, warning: null, close };
  }
  if (choice.fallback === 'memory') return openMemory(needs, `STORE_FALLBACK=memory, because ${first.why}`);
  return waitForRemote(choice, needs, first.why);
}

type Reached =
  | { readonly kind: 'there'; readonly store: DurableStore }
  | { readonly kind: 'notYet'; readonly why: string };

async function tryRemote(choice: Remote, needs: StoreNeeds): Promise<Reached> {
  try {
    const fault = await schemaFaultOf(choice.url);
    if (fault !== null) return { kind: 'notYet', why: fault };
    return { kind: 'there', store: await openPostgresStore({ ...needs, ...choice, kind: 'postgres' }) };
  } catch (error) {
    return { kind: 'notYet', why: error instanceof Error ? error.message : String(error) };
  }
}

/** The service starts, is not ready, and keeps trying. */
function waitForRemote(choice: Remote, needs: StoreNeeds, firstWhy: string): StoreOpened {
  const { host } = new URL(choice.url);
  let why = firstWhy;
  let isClosed = false;
  let timer: Disposable | null = null;
  const late: LateStore = makeLateStore({
    kind: 'postgres',
    sinceMs: needs.clock.elapsedMs(),
    why: () => `PostgreSQL at ${host}: ${why}`,
  });
  const tryAgain = async () => {
    const reached = await tryRemote(choice, needs);
    if (reached.kind === 'there' && !isClosed) {
      late.arrive(reached.store);
      needs.log.info('PostgreSQL answers: the service is ready', { host });
      return;
    }
    if (reached.kind === 'there') await reached.store[Symbol.asyncDispose]();
    else why = reached.why;
    if (!isClosed) schedule();
  };
  const schedule = () => {
    timer = needs.clock.after(RETRY_MS, () => void tryAgain());
  };
  schedule();
  return {
    kind: 'opened',
    store: late,
    where: `PostgreSQL at ${host}`,
    warning: `not ready, trying again every ${RETRY_MS / 1000} s: ${firstWhy}`,
    close: async () => {
      isClosed = true;
      timer?.[Symbol.dispose]();
      await late[Symbol.asyncDispose]();
    },
  };
}
