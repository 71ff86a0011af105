import type { AttemptReport } from '../core/decision.ts';
import type { ApiKeyId, RequestId } from '../core/ids.ts';
import { eventOf, presentOf, type RequestEvent } from '../core/request-event.ts';
import type { RequestRecord, RequestView } from '../core/request-record.ts';
import { isSeen, type Owned, type View } from '../core/view.ts';
import type { ChatCall } from './gateway.ts';

/** How many chats are known at once at most. More of them run all the same, and can neither be seen nor stopped. */
const CHATS_MAX = 100_000;

/** Makes an event when somebody wants it: nothing is worked out for nobody. */
export type Look = () => RequestEvent;

/** The chats that run on this replica. */
export interface LiveChats {
  /** From now on the chat can be stopped; once it has moved, it can be seen. Until it is disposed of. */
  open(call: ChatCall, owner: Owned): LiveChat;
  /** Null when no such chat runs here, or it is not routed yet. */
  find(id: RequestId): RequestView | null;
  /** As they were sent, those that came with this key. */
  callsOf(key: ApiKeyId): readonly ChatCall[];
  /** Every chat that is routed, as it is when it is looked at. */
  running(): readonly Look[];
  /**
   * Null when no such chat runs here, or none that `reach` shows. Otherwise it is told to stop; resolves with its record, or with null
   * when it ended without.
   */
  stop(id: RequestId, reach: View): Promise<RequestRecord | null> | null;
  /** Tells of everything that happens to chats, each in its order. */
  watch(act: (look: Look) => void): Disposable;
}

/** One chat that runs. */
export interface LiveChat extends Disposable {
  /** The call as it was sent, but its signal aborts also when the chat is stopped. */
  readonly call: ChatCall;
  /** An attempt begins: the first one, or the next after `failed`. */
  move(view: () => RequestView, failed: AttemptReport | null): void;
  /** It has ended, and its record is on its way to the log. */
  end(record: RequestRecord): void;
}

interface Entry {
  readonly call: ChatCall;
  /** Known before anything can be seen of it. */
  readonly owner: Owned;
  readonly stop: AbortController;
  readonly ended: PromiseWithResolvers<RequestRecord | null>;
  /** Null until it is routed. */
  view: (() => RequestView) | null;
  record: RequestRecord | null;
}

export function makeLiveChats(): LiveChats {
  const entries = new Map<RequestId, Entry>();
  const watchers = new Set<(look: Look) => void>();
  const tell = (request: () => RequestView, failed: AttemptReport | null) => {
    const look = once(() => eventOf(request(), failed));
    for (const act of watchers) act(look);
  };

  return {
    open(call, owner) {
      const entry: Entry = {
        call,
        owner,
        stop: new AbortController(),
        ended: Promise.withResolvers(),
        view: null,
        record: null,
      };
      const { requestId, signal } = call;
      if (entries.size < CHATS_MAX && !entries.has(requestId)) entries.set(requestId, entry);
      const leave = () => entry.stop.abort();
      // A listener that is removed: AbortSignal.any keeps every chat's signal alive as long as the connection's.
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      return {
        call: { ...call, signal: entry.stop.signal },
        move(view, failed) {
          entry.view = view;
          tell(view, failed);
        },
        end(record) {
          entry.record = record;
          tell(() => record, null);
        },
        [Symbol.dispose]() {
          signal.removeEventListener('abort', leave);
          if (entries.get(requestId) === entry) entries.delete(requestId);
          entry.ended.resolve(entry.record);
          // It threw: whoever was told that it began is told that it is over.
          const { view, record } = entry;
          if (view !== null && record === null) tell(() => ({ ...view(), status: 'failed' }), null);
        },
      };
    },
    find(id) {
      const entry = entries.get(id);
      return entry?.record ?? entry?.view?.() ?? null;
    },
    callsOf: (key) =>
      Array.from(entries.values()).flatMap(({ owner, call }) => (owner.apiKey?.id === key ? [call] : [])),
    running: () => Array.from(entries.values()).flatMap(({ view }) => (view === null ? [] : [() => presentOf(view())])),
    stop(id, reach) {
      const entry = entries.get(id);
      if (entry === undefined || !isSeen(entry.owner, reach)) return null;
      entry.stop.abort();
      return entry.ended.promise;
    },
    watch(act) {
      watchers.add(act);
      return { [Symbol.dispose]: () => watchers.delete(act) };
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
