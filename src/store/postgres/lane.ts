import postgres from 'postgres';
import { NothingDone, StoreUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import { Late, within } from '../time-limit.ts';
import { ARRAY_TYPES } from './array-parameters.ts';
import { faultKindOf } from './fault.ts';
import type { Presence } from './presence.ts';

/** Connections for one kind of work, with a limit on every wait. */
export interface Lane extends AsyncDisposable {
  /**
   * Does one piece of work, which is one statement that changes anything at most. Rejects with `StoreUnavailable` when PostgreSQL is away or
   * does not answer in time; then the work may have been done all the same.
   */
  run<Result>(work: (sql: postgres.Sql) => PromiseLike<Result>): Promise<Result>;
}

const CLOSE_S = 5;

/**
 * How long a connection may take to open. Longer than an act may take: on a crowded server each act would give up on a connection that was
 * nearly there, and the next one would begin anew, for ever.
 */
const OPENING_MS_MAX = 2_000;

/**
 * How long a client waits at most before it tries again to connect, in seconds: at once at first, then three times as long each time. By
 * itself it would wait up to 20 s, and what it listens for would be missed for so long after PostgreSQL is back.
 */
const RECONNECT_S_MAX = 1;

/** How often one piece of work is tried when it meets another, such as in a deadlock, which PostgreSQL ends by undoing one of the two. */
const TRIES_MAX = 3;

/** How much of the time limit the server has: its own word that it gave up must be here before we do, or a good connection goes for it. */
const SERVER_SHARE = 0.9;

interface Connections {
  readonly sql: postgres.Sql;
  /** How often PostgreSQL had come back when they were made. */
  readonly returns: number;
  hasAnswered: boolean;
  /** Since when nothing has come of what was asked. Null: nothing was asked since the last answer. */
  silentSinceMs: number | null;
}

export function makeLane(of: {
  readonly url: string;
  readonly connectionsMax: number;
  readonly limitMs: number;
  /** How long connections may have been silent when an act gives up, and are kept all the same. */
  readonly silenceMsMax: number;
  readonly presence: Presence;
  readonly clock: Clock;
}): Lane {
  const { presence, clock } = of;
  const open = (): Connections => ({
    sql: connectTo(of.url, of),
    returns: presence.returns(),
    hasAnswered: false,
    silentSinceMs: null,
  });
  let current = open();
  const heard = (used: Connections) => {
    used.hasAnswered = true;
    used.silentSinceMs = null;
  };
  const mayYetAnswer = ({ hasAnswered, silentSinceMs }: Connections) =>
    clock.elapsedMs() - (silentSinceMs ?? clock.elapsedMs()) < (hasAnswered ? of.silenceMsMax : OPENING_MS_MAX);

  /** What is still under way on the old connections fails as they do: nobody knows whether it was done. */
  const rebuild = (old: Connections) => {
    if (old !== current) return;
    current = open();
    void old.sql.end({ timeout: 0 });
  };

  const giveUpOn = (used: Connections, error: unknown): never => {
    if (!(error instanceof Late && mayYetAnswer(used))) rebuild(used);
    const why = String(error);
    presence.suspect(why);
    throw new StoreUnavailable(why);
  };

  return {
    async run(work) {
      const absence = presence.absence();
      if (absence !== null) throw new NothingDone(absence.why);
      if (current.returns !== presence.returns()) rebuild(current);
      const used = current;
      const startedAtMs = clock.elapsedMs();
      used.silentSinceMs ??= startedAtMs;
      const leftMs = () => Math.round(of.limitMs - (clock.elapsedMs() - startedAtMs));
      for (let tries = 1; ; tries += 1) {
        try {
          const result = await within(work(used.sql), { limitMs: leftMs(), clock });
          heard(used);
          return result;
        } catch (error) {
          const kind = faultKindOf(error);
          if (kind === 'away') giveUpOn(used, error);
          heard(used);
          if (kind === 'refused') throw error;
          if (kind === 'givenUp' || tries === TRIES_MAX || leftMs() <= 0) throw new NothingDone(String(error));
        }
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
    backoff: (failures) => Math.min(3 ** failures / 100, RECONNECT_S_MAX),
    onnotice: () => undefined,
    // The server stops, too, what nobody waits for any more.
    connection: {
      application_name: 'switchyard',
      TimeZone: 'UTC',
      statement_timeout: Math.ceil(of.limitMs * SERVER_SHARE),
    },
  });
}
