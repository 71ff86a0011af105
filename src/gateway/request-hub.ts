import type { RequestEvent } from '../core/request-event.ts';
import { isMatch, isNoCondition } from '../core/request-filter.ts';
import { isSeen, type View } from '../core/view.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { Store } from '../ports/store.ts';
import { viewOf } from './caller.ts';
import type { RequestNotice, RequestWatch, RequestWatchAnswer } from './gateway.ts';
import type { LiveChats, Look } from './live-chats.ts';
import { makeOutbox, type Outbox } from './outbox.ts';
import { startRequestRelay } from './request-relay.ts';
import { makeWatchPlaces } from './watch-places.ts';

const HUB = { watchersMax: 1_000, backlogMax: 256 } as const;

/** Passes on what happens to requests, on all replicas, to everyone who watches, each through a bounded queue of its own. */
export interface RequestHub extends AsyncDisposable {
  watch(watch: RequestWatch): RequestWatchAnswer;
}

interface Watcher {
  readonly watch: RequestWatch;
  /** What its caller may see. */
  readonly view: View;
  /** Only what it wants: nobody loses an event to others' noise. */
  readonly outbox: Outbox<RequestEvent>;
  readonly leave: () => void;
}

export function makeRequestHub(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: LiveChats;
  readonly meters: Pick<Meters, 'eventsDropped'>;
}): RequestHub {
  const watchers = new Set<Watcher>();
  const places = makeWatchPlaces(HUB.watchersMax);
  const passOn = (event: RequestEvent, missed = 0) => {
    for (const watcher of watchers) {
      // Nobody knows what was lost, so only who wants everything would have been told.
      if (isAllWanted(watcher)) watcher.outbox.miss(missed);
      if (isWanted(watcher, event)) watcher.outbox.put(event);
    }
  };
  const relay = startRequestRelay({
    ...deps,
    wire: deps.store,
    isWatched: () => watchers.size > 0,
    onEvent: passOn,
  });
  const here = deps.live.watch((look) => {
    const isAsked = relay.isAsked();
    if (watchers.size === 0 && !isAsked) return;
    const event = look();
    passOn(event);
    if (isAsked) relay.tell(event);
  });

  const join = (watch: RequestWatch): Watcher => {
    const outbox = makeOutbox<RequestEvent>(HUB.backlogMax, () => deps.meters.eventsDropped.add(1));
    let leave = () => {};
    const watcher = { watch, view: viewOf(watch.caller), outbox, leave: () => leave() };
    watchers.add(watcher);
    if (watchers.size === 1) relay.ask();
    leave = places.take(watch, () => {
      outbox.close();
      watchers.delete(watcher);
    });
    return watcher;
  };

  return {
    watch(watch) {
      const refusal = places.refuse(watch.caller);
      if (refusal !== null) return { kind: 'tooManyWatchers', message: refusal };
      // At one moment with the joining: what runs then is told first, and whatever happens from then on queues.
      return { kind: 'watching', notices: notify(join(watch), deps.live.running()) };
    },
    async [Symbol.asyncDispose]() {
      here[Symbol.dispose]();
      for (const watcher of watchers) watcher.outbox.close();
      await relay[Symbol.asyncDispose]();
    },
  };
}

function isWanted({ watch, view }: Watcher, { request }: RequestEvent): boolean {
  return isSeen(request, view) && isMatch(request, watch.filter());
}

function isAllWanted({ watch, view }: Watcher): boolean {
  return view.kind === 'everybody' && isNoCondition(watch.filter());
}

async function* notify(watcher: Watcher, running: readonly Look[]): AsyncGenerator<RequestNotice> {
  const { watch, outbox, leave } = watcher;
  try {
    for (const look of running) {
      if (watch.signal.aborted) return;
      const event = look();
      if (isWanted(watcher, event)) yield { event, dropped: 0 };
    }
    for (let taken = await outbox.take(); taken !== null; taken = await outbox.take()) {
      yield { event: taken.item, dropped: taken.dropped };
    }
  } finally {
    leave();
  }
}
