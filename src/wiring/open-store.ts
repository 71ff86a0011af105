import type { Config } from '../config.ts';
import { holdId } from '../core/ids.ts';
import { reportSettled } from '../gateway/settle-report.ts';
import type { Settled, Settlement } from '../ports/admission.ts';
import type { DurableStore, Store } from '../ports/store.ts';
import { startEmbeddedServer } from '../store/embedded/server.ts';
import { type JournaledStore, openJournaledStore } from '../store/journal/open.ts';
import { makeMemoryStore } from '../store/memory/store.ts';
import { makeOutageStore } from '../store/outage/outage-store.ts';
import { migrateDatabase } from '../store/postgres/migrate.ts';
import { openPostgresStore } from '../store/postgres/store.ts';
import { type Remote, tryRemote, waitForRemote } from './open-remote.ts';
import type { StoreNeeds } from './store-needs.ts';
import { newUuid } from './system.ts';

/** `where` says for people where state is kept; `warning` what they must know of it. */
export type StoreOpened =
  | {
      readonly kind: 'opened';
      readonly store: Store;
      readonly where: string;
      readonly warning: string | null;
      /** Where this replica's journal is, and why it takes nothing new. Null: the store needs none. */
      readonly journal: JournaledStore['journal'] | null;
      readonly close: () => Promise<void>;
    }
  | StoreFailed;

interface StoreFailed {
  readonly kind: 'failed';
  readonly message: string;
}

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
    journal: null,
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
      const { timeoutMs } = choice;
      const durable = await openPostgresStore({ ...needs, kind: 'embedded', url: server.url, timeoutMs });
      const journaled = await openWithJournal(durable, choice, needs);
      if (journaled.kind === 'failed') return journaled;
      opened.use(journaled.store);
      const kept = opened.move();
      void server.ended.then((end) => {
        if (end.kind === 'died') needs.log.error('the embedded PostgreSQL ended by itself', { reason: end.reason });
      });
      const where = `embedded PostgreSQL ${server.version} in ${choice.dataDir}/`;
      return { ...journaled, where, warning: null, close: () => kept.disposeAsync() };
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

async function openRemote(choice: Remote, needs: StoreNeeds): Promise<StoreOpened> {
  const { host } = new URL(choice.url);
  const first = await tryRemote(choice, needs);
  if (first.kind === 'notYet' && choice.fallback === 'memory') {
    return openMemory(needs, `STORE_FALLBACK=memory, because ${first.why}`);
  }
  const { store: durable, warning } =
    first.kind === 'there' ? { ...first, warning: null } : waitForRemote(choice, needs, first.why);
  const journaled = await openWithJournal(durable, choice, needs);
  if (journaled.kind === 'failed') return journaled;
  const close = async () => journaled.store[Symbol.asyncDispose]();
  return { ...journaled, where: `PostgreSQL at ${host}`, warning, close };
}

/**
 * Puts this replica's journal before a store: what was decided is then safe on its own disk before anybody is told. If slices are
 * wanted, they are reserved before that, so that what is paid from them is in the journal too.
 */
async function openWithJournal(
  store: DurableStore,
  { dataDir, outageSlice }: Pick<Extract<Config['store'], { kind: 'embedded' }>, 'dataDir' | 'outageSlice'>,
  needs: StoreNeeds,
): Promise<
  { readonly kind: 'opened'; readonly store: Store; readonly journal: JournaledStore['journal'] } | StoreFailed
> {
  const told = (settlement: Settlement, settled: Settled) => reportSettled(needs, settlement, settled);
  try {
    const opened = await openJournaledStore({ ...needs, store, dataDir, told });
    if (outageSlice === 0n) return { kind: 'opened', ...opened };
    const newHoldId = () => holdId(newUuid());
    const outage = makeOutageStore({ ...needs, store: opened.store, amountMax: outageSlice, newHoldId });
    return { kind: 'opened', journal: opened.journal, store: outage };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    const reason = error instanceof Error ? error.message : String(error);
    return {
      kind: 'failed',
      message: `The journal cannot be kept in ${dataDir}: ${reason}. Name a folder that this user may write to with DATA_DIR, on a disk that outlives the process.`,
    };
  }
}
