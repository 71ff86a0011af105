import postgres from 'postgres';
import type { StoreAbsence } from '../../core/store-mode.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { within } from '../time-limit.ts';
import { ARRAY_TYPES } from './array-parameters.ts';

/** How often PostgreSQL is looked for while it is away. */
const LOOK_EVERY_MS = 200;

/** How long one look may take at least: nobody waits for it, and it opens a connection first. */
const LOOK_MS_MIN = 1_000;

/** Whether PostgreSQL can be reached: one answer for all lanes to it, so that nobody waits for what is known to be away. */
export interface Presence extends AsyncDisposable {
  /** Null while it answers, as far as is known. */
  absence(): StoreAbsence | null;
  /** Grows by one at every return: connections of before are not to be trusted. */
  returns(): number;
  /** An answer did not come, or a connection broke. It is looked for at once; away is what fails that look. */
  suspect(why: string): void;
}

export function watchPresence(of: {
  readonly url: string;
  readonly limitMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** After the count of returns has grown. */
  readonly onReturn: () => void;
}): Presence {
  const { clock, log } = of;
  let away: StoreAbsence | null = null;
  let returnCount = 0;
  let looking: Promise<void> | null = null;
  let timer: Disposable | null = null;
  let isClosed = false;

  const look = async (why: string): Promise<void> => {
    const fault = await faultOf({ ...of, limitMs: Math.max(of.limitMs, LOOK_MS_MIN) });
    if (isClosed) return;
    if (fault !== null) {
      if (away === null) {
        away = { sinceMs: clock.elapsedMs(), why };
        log.error('PostgreSQL does not answer: what needs it is refused until it does', { reason: why });
      }
      timer = clock.after(LOOK_EVERY_MS, () => lookAgain(fault));
      return;
    }
    if (away === null) return;
    const awayMs = Math.round(clock.elapsedMs() - away.sinceMs);
    away = null;
    returnCount += 1;
    log.warn('PostgreSQL answers again', { awayMs });
    of.onReturn();
  };
  const lookAgain = (why: string) => {
    timer = null;
    looking = look(why).finally(() => {
      looking = null;
    });
  };

  return {
    absence: () => away,
    returns: () => returnCount,
    suspect(why) {
      if (!isClosed && looking === null && timer === null) lookAgain(why);
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      timer?.[Symbol.dispose]();
      await looking;
    },
  };
}

/** Asks over a connection of its own: an old one may be what is broken. Null when it answers, and takes what is written. */
async function faultOf(of: {
  readonly url: string;
  readonly limitMs: number;
  readonly clock: Clock;
}): Promise<string | null> {
  const sql = postgres(of.url, {
    ...ARRAY_TYPES,
    max: 1,
    connect_timeout: of.limitMs / 1_000,
    onnotice: () => undefined,
  });
  try {
    const [row] = await within(
      sql`select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as is_read_only`,
      of,
    );
    return row?.is_read_only === true ? 'it only reads: it is a standby, or was set so' : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    // Without waiting: on a connection that swallows everything nobody says goodbye.
    void sql.end({ timeout: 0 });
  }
}
