import postgres from 'postgres';
import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import { ARRAY_TYPES } from './array-parameters.ts';
import type { Presence } from './presence.ts';
import { Late, within } from './within.ts';

/** Connections for one kind of work, with a limit on every wait. */
export interface Lane extends AsyncDisposable {
  /** Rejects with `StoreUnavailable` when PostgreSQL is away or does not answer in time; then the work may have been done all the same. */
  run<Result>(work: (sql: postgres.Sql) => PromiseLike<Result>): Promise<Result>;
}

const CLOSE_S = 5;

/**
 * How long a connection may take to open. Longer than an act may take: on a crowded server each act would give up on a connection that was
 * nearly there, and the next one would begin anew, for ever.
 */
const OPENING_MS_MAX = 2_000;

export function makeLane(of: {
  readonly url: string;
  readonly connectionsMax: number;
  readonly limitMs: number;
  readonly presence: Presence;
  readonly clock: Clock;
}): Lane {
  const { presence, clock } = of;
  const open = () => ({
    sql: connectTo(of.url, of),
    returns: presence.returns(),
    openedAtMs: clock.elapsedMs(),
    hasAnswered: false,
  });
  let current = open();
  const isOpening = ({ hasAnswered, openedAtMs }: typeof current) =>
    !hasAnswered && clock.elapsedMs() - openedAtMs < OPENING_MS_MAX;

  /** What is still under way on the old connections fails as they do: nobody knows whether it was done. */
  const rebuild = (old: typeof current) => {
    if (old !== current) return;
    current = open();
    void old.sql.end({ timeout: 0 });
  };

  return {
    async run(work) {
      const absence = presence.absence();
      if (absence !== null) throw new StoreUnavailable(absence.why);
      if (current.returns !== presence.returns()) rebuild(current);
      const used = current;
      try {
        const result = await within(work(used.sql), { limitMs: of.limitMs, clock });
        used.hasAnswered = true;
        return result;
      } catch (error) {
        if (!isAbsence(error)) {
          used.hasAnswered = true;
          throw error;
        }
        if (!(error instanceof Late && isOpening(used))) rebuild(used);
        const why = String(error);
        presence.suspect(why);
        throw new StoreUnavailable(why);
      }
    },
    [Symbol.asyncDispose]: () => current.sql.end({ timeout: CLOSE_S }),
  };
}

/** A client that connects when it is first used. */
export function connectTo(
  url: string,
  of: { readonly connectionsMax: number; readonly limitMs: number },
): postgres.Sql {
  return postgres(url, {
    ...ARRAY_TYPES,
    max: of.connectionsMax,
    connect_timeout: OPENING_MS_MAX / 1_000,
    onnotice: () => undefined,
    // The server stops, too, what nobody waits for any more.
    connection: { application_name: 'switchyard', TimeZone: 'UTC', statement_timeout: of.limitMs },
  });
}

/** Classes of SQLSTATE that say the server or the way to it is gone: connection exception, shutdown, too many connections. */
const ABSENCE = /^(08|57P0|53300)|^(CONNECT|CONNECTION_|E[A-Z]+$)/;

/** The server's own word that it gave up a statement at its time limit, which is ours: the same as no answer. */
const CANCELLED = '57014';

/** A connection that failed is the store's absence; a statement that failed is a bug. */
function isAbsence(error: unknown): boolean {
  if (error instanceof Late) return true;
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return false;
  return ABSENCE.test(error.code) || error.code === CANCELLED;
}
