import type { AttemptReport, RoutingDecision } from '../core/decision.ts';
import { type Delta, joinDeltas } from '../core/delta.ts';
import type { ProviderKey, RequestId } from '../core/ids.ts';
import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import type { Clock } from '../ports/clock.ts';
import { unlessAborted } from './unless-aborted.ts';

/** What happens to a streamed chat, in order. */
export type StreamEvent =
  | { readonly kind: 'started'; readonly requestId: RequestId; readonly routing: RoutingDecision }
  | { readonly kind: 'delta'; readonly delta: Delta }
  | {
      readonly kind: 'rerouted';
      readonly failed: AttemptReport;
      readonly provider: ProviderKey;
      readonly model: string;
    }
  | { readonly kind: 'ended'; readonly outcome: ChatOutcome | NotRun };

/** An event and its place in the stream, from 0. */
export interface Placed {
  readonly sequence: number;
  readonly event: StreamEvent;
}

/** What a reader of a stream is given. `lost`: it read so slowly that events it wants are gone; nothing follows. */
export type StreamPiece = Placed | { readonly kind: 'lost' };

/** What a reader finds next. `lost`: it fell so far behind that the events it wants are gone. */
export type Read =
  | { readonly kind: 'event'; readonly placed: Placed }
  | { readonly kind: 'lost' }
  | { readonly kind: 'over' };

/** The events of one stream, for readers that begin anywhere, each at a pace of its own. Nobody waits for a reader. */
export interface StreamLog {
  append(event: StreamEvent): void;
  /** Nothing is appended any more, and readers that have all are told so. */
  close(): void;
  /** The place after the last event. */
  length(): number;
  /** What is kept now, in characters: of all text, and a fixed amount for each event. */
  chars(): number;
  /** The event of this place: waits until there is one, or the signal aborts (`over`). */
  read(sequence: number, signal: AbortSignal): Promise<Read>;
}

/** Most that is kept for readers, in characters. A longer answer loses its beginning: whoever has not read that is told so. */
export const LOG_CHARS_MAX = 4 * 1024 * 1024;

/**
 * Pieces that come at once are kept as one, so that whoever reads them reads fewer; none waits for the next. They are joined before
 * anybody reads them: each reader is told the same pieces under the same places.
 */
export function makeStreamLog(of: { readonly soon: Clock['soon']; readonly charsMax?: number }): StreamLog {
  const { soon, charsMax = LOG_CHARS_MAX } = of;
  let waiting: Delta | null = null;
  let events: Placed[] = [];
  let next = 0;
  let chars = 0;
  let isClosed = false;
  let change = Promise.withResolvers<void>();
  const tell = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  const put = (event: StreamEvent) => {
    events.push({ sequence: next, event });
    next += 1;
    chars += charsOf(event);
    if (chars > charsMax) ({ events, chars } = withoutBeginning(events, chars, charsMax));
    tell();
  };
  const putWaiting = () => {
    if (waiting !== null) put({ kind: 'delta', delta: waiting });
    waiting = null;
  };
  const wait = (delta: Delta) => {
    const joined = waiting === null ? null : joinDeltas(waiting, delta);
    if (joined === null) {
      putWaiting();
      soon(putWaiting);
    }
    waiting = joined ?? delta;
  };
  return {
    append(event) {
      if (isClosed) return;
      if (event.kind === 'delta') return wait(event.delta);
      putWaiting();
      put(event);
    },
    close() {
      putWaiting();
      isClosed = true;
      tell();
    },
    length: () => next,
    chars: () => chars,
    async read(sequence, signal) {
      for (;;) {
        if (signal.aborted) return { kind: 'over' };
        const first = events[0]?.sequence ?? next;
        if (sequence < first) return { kind: 'lost' };
        const placed = events[sequence - first];
        if (placed !== undefined) return { kind: 'event', placed };
        if (isClosed) return { kind: 'over' };
        await unlessAborted(change.promise, signal);
      }
    },
  };
}

/** Half of what is allowed stays, so that this is seldom done. */
function withoutBeginning(events: readonly Placed[], chars: number, charsMax: number) {
  let left = chars;
  let at = 0;
  for (; at < events.length - 1 && left > charsMax / 2; at += 1) {
    const placed = events[at];
    if (placed !== undefined) left -= charsOf(placed.event);
  }
  return { events: events.slice(at), chars: left };
}

/** What an event takes beside its text, rather too much: measured 150 bytes for a piece of four characters. */
const EVENT_CHARS = 200;

function charsOf(event: StreamEvent): number {
  if (event.kind !== 'delta') return EVENT_CHARS;
  const { delta } = event;
  const text = delta.kind === 'toolCall' ? [delta.id, delta.name, delta.argumentsChunk].join('') : delta.text;
  return EVENT_CHARS + text.length;
}
