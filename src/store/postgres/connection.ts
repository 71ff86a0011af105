import postgres from 'postgres';
import { StoreUnavailable } from '../../core/store-unavailable.ts';

/** Every wait for PostgreSQL ends. The client has no limit of its own for a connection that swallows everything. */
export const WAITS = {
  /** An act of the request path. */
  actMs: 2_000,
  /** A read of the read side. */
  readMs: 5_000,
  connectS: 3,
  closeS: 5,
} as const;

const CONNECTIONS_MAX = 10;

/** A pool of connections, with a limit on every wait. */
export interface Connection extends AsyncDisposable {
  readonly sql: postgres.Sql;
  /** Runs one act of the request path. Rejects with `StoreUnavailable` when PostgreSQL does not answer in time. */
  act<Result>(run: (sql: postgres.Sql) => PromiseLike<Result>): Promise<Result>;
  /** The same for the read side, which may take longer. */
  read<Result>(run: (sql: postgres.Sql) => PromiseLike<Result>): Promise<Result>;
}

export function connect(url: string): Connection {
  const sql = postgres(url, {
    max: CONNECTIONS_MAX,
    connect_timeout: WAITS.connectS,
    onnotice: () => undefined,
    // The server stops, too, what nobody waits for any more.
    connection: { application_name: 'switchyard', TimeZone: 'UTC', statement_timeout: WAITS.readMs },
  });
  return {
    sql,
    act: (run) => within(run(sql), WAITS.actMs),
    read: (run) => within(run(sql), WAITS.readMs),
    [Symbol.asyncDispose]: () => sql.end({ timeout: WAITS.closeS }),
  };
}

/** Settles as `work` does, but no later than `limitMs`. A connection that failed is the store's absence; a statement that failed is a bug. */
async function within<Result>(work: PromiseLike<Result>, limitMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw isConnectionFault(error) ? new StoreUnavailable(String(error)) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Classes of SQLSTATE that say the server or the way to it is gone: connection exception, shutdown, too many connections. */
const ABSENCE = /^(08|57P0|53300)|^(CONNECT|CONNECTION_|E[A-Z]+$)/;

function isConnectionFault(error: unknown): boolean {
  if (error instanceof StoreUnavailable) return false;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && ABSENCE.test(error.code);
}
