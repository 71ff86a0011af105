import type { Config } from '../config.ts';
import type { DurableStore } from '../ports/store.ts';
import { schemaFaultOf } from '../store/postgres/migrate.ts';
import { openPostgresStore } from '../store/postgres/store.ts';
import { type LateStore, makeLateStore } from './late-store.ts';
import type { StoreNeeds } from './store-needs.ts';

/** How often a database that cannot be reached at start is tried again. */
const RETRY_MS = 2_000;

export type Remote = Extract<Config['store'], { kind: 'postgres' }>;

export type Reached =
  | { readonly kind: 'there'; readonly store: DurableStore }
  | { readonly kind: 'notYet'; readonly why: string };

/** Tries once. */
export async function tryRemote(choice: Remote, needs: StoreNeeds): Promise<Reached> {
  try {
    const fault = await schemaFaultOf(choice.url, needs.clock);
    if (fault !== null) return { kind: 'notYet', why: fault };
    return { kind: 'there', store: await openPostgresStore({ ...needs, ...choice, kind: 'postgres' }) };
  } catch (error) {
    return { kind: 'notYet', why: error instanceof Error ? error.message : String(error) };
  }
}

/** A store that is not there yet, and tried again and again: the service starts, and is not ready. */
export function waitForRemote(
  choice: Remote,
  needs: StoreNeeds,
  firstWhy: string,
): { readonly store: DurableStore; readonly warning: string } {
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
    warning: `not ready, trying again every ${RETRY_MS / 1000} s: ${firstWhy}`,
    store: {
      ...late,
      async [Symbol.asyncDispose]() {
        isClosed = true;
        timer?.[Symbol.dispose]();
        await late[Symbol.asyncDispose]();
      },
    },
  };
}
