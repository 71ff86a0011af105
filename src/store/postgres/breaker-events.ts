import { decodeNumber } from '../../core/decode.ts';
import { parseSequence } from '../../core/page.ts';
import type { BreakerEvent, BreakerEventsPort } from '../../ports/breaker-events.ts';
import type { Connection } from './connection.ts';
import { decodeEvent } from './decode-provider.ts';

const CHANNEL = 'switchyard_breaker';

/** The history of all breakers, in PostgreSQL. A notification is only a hint: the poll of whoever listens is the truth. */
export function makePostgresEvents({ ears, read }: Connection): BreakerEventsPort & AsyncDisposable {
  const hints = new Set<() => void>();
  const tellAll = () => {
    for (const hint of hints) hint();
  };
  // The callback after a (re)connection tells too: what was notified in the gap is lost.
  ears.hear(CHANNEL, tellAll, tellAll);
  return {
    async range() {
      const [row] = await read(
        (reader) => reader`select coalesce(min(sequence), 0) as oldest, coalesce(max(sequence), 0) as newest
          from switchyard.breaker_event`,
      );
      return { oldest: decodeNumber(row?.oldest), newest: decodeNumber(row?.newest) };
    },
    async tail(after, countMax) {
      const rows = await read(
        (reader) => reader`select switchyard.event_json(e) as event from switchyard.breaker_event e
          where sequence > ${after} order by sequence limit ${countMax}`,
      );
      return rows.map((row) => decodeEvent(row.event));
    },
    async findEvent(sequence) {
      const [row] = await read(
        (reader) => reader`select switchyard.event_json(e) as event from switchyard.breaker_event e
          where sequence = ${sequence}`,
      );
      return row === undefined ? null : decodeEvent(row.event);
    },
    async history(provider, { cursor, direction, size }) {
      const place = cursor === null ? null : parseSequence(cursor);
      if (cursor !== null && place === null) return { kind: 'badCursor' };
      const isForward = direction === 'forward';
      // Newest first: forward goes to smaller sequences.
      const rows = await read(
        (reader) => reader`select switchyard.event_json(e) as event from switchyard.breaker_event e
          where provider = ${provider}
            and (${place === null} or ${isForward ? reader`sequence < ${place}` : reader`sequence > ${place}`})
          order by sequence ${isForward ? reader`desc` : reader`asc`} limit ${size + 1}`,
      );
      const isMoreBehind = place !== null && (await hasPassed(provider, place, isForward));
      const events = rows.slice(0, size).map((row) => decodeEvent(row.event));
      const items = (isForward ? events : events.toReversed()).map((item: BreakerEvent) => ({
        cursor: String(item.sequence),
        item,
      }));
      const isMoreAhead = rows.length > size;
      return {
        kind: 'page',
        page: {
          items,
          hasNext: isForward ? isMoreAhead : isMoreBehind,
          hasPrevious: isForward ? isMoreBehind : isMoreAhead,
        },
      };
    },
    onHint(act) {
      hints.add(act);
      return { [Symbol.dispose]: () => hints.delete(act) };
    },
    async [Symbol.asyncDispose]() {
      // Nothing is said to PostgreSQL, which may not answer: the connection that listens is closed with the others.
      hints.clear();
    },
  };

  /** Whether anything lies at the cursor or on the side that was walked already. */
  async function hasPassed(provider: string, place: number, isForward: boolean): Promise<boolean> {
    const [row] = await read(
      (reader) => reader`select exists (select 1 from switchyard.breaker_event where provider = ${provider}
        and ${isForward ? reader`sequence >= ${place}` : reader`sequence <= ${place}`}) as is_there`,
    );
    return row?.is_there === true;
  }
}
