import { findProvider } from '../core/registry.ts';
import type { BreakerEvent } from '../ports/breaker-events.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { Store } from '../ports/store.ts';
import type { BreakerNotice } from './breaker-notice.ts';
import type { Configurations } from './configuration.ts';
import type { BreakerWatch, BreakerWatchAnswer } from './gateway.ts';
import { makeOutbox, type Outbox } from './outbox.ts';
import { startPump } from './pump.ts';
import { makeWatchPlaces } from './watch-places.ts';

/** `pollMs` is the truth when a hint is lost; `pageMax` bounds one read. */
const HUB = { watchersMax: 1_000, backlogMax: 256, pollMs: 1_000, pageMax: 500 } as const;

/** Passes the changes of all breakers on to everyone who watches, each through a bounded queue of its own. */
export interface BreakerHub extends AsyncDisposable {
  watch(watch: BreakerWatch): Promise<BreakerWatchAnswer>;
}

/** One who watches, what it still has to be told before live events begin, and where those queue meanwhile. */
interface Watcher {
  readonly watch: BreakerWatch;
  /** Only what it wants: nobody loses an event to another provider's noise. */
  readonly outbox: Outbox<BreakerEvent>;
  /** Sequence after which it is told events. */
  readonly from: number;
  /** Sequence after which live events queue: everything up to it is read from the history. */
  readonly liveAfter: number;
  readonly leave: () => void;
}

export function makeBreakerHub(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: Pick<Meters, 'eventsDropped'>;
  readonly configurations: Pick<Configurations, 'now'>;
}): BreakerHub {
  const { store } = deps;
  const watchers = new Set<Watcher>();
  const places = makeWatchPlaces(HUB.watchersMax);
  /** Everything up to here was passed on. Null before the first watcher. Never goes back: a reading of the history may be old. */
  let seen: number | null = null;

  const passOn = async () => {
    if (seen === null) return;
    const events = await store.tail(seen, HUB.pageMax);
    for (const event of events) {
      if (event.sequence <= seen) continue;
      for (const watcher of watchers) if (isWanted(watcher, event)) watcher.outbox.put(event);
      seen = event.sequence;
    }
    if (events.length === HUB.pageMax) pump.wake();
  };
  const pump = startPump({ ...deps, everyMs: HUB.pollMs, isNeeded: () => watchers.size > 0, act: passOn });
  const hint = store.onHint(pump.wake);

  const join = (watch: BreakerWatch, place: { readonly from: number; readonly liveAfter: number }): Watcher => {
    const outbox = makeOutbox<BreakerEvent>(HUB.backlogMax, () => deps.meters.eventsDropped.add(1));
    let leave = () => {};
    const watcher = { watch, outbox, ...place, leave: () => leave() };
    watchers.add(watcher);
    leave = places.take(watch, () => {
      outbox.close();
      watchers.delete(watcher);
    });
    pump.wake();
    return watcher;
  };

  return {
    async watch(watch) {
      const { oldest, newest } = await store.range();
      const refusal = places.refuse(watch.caller);
      if (refusal !== null) return { kind: 'tooManyWatchers', message: refusal };
      const { after } = watch;
      if (after !== null && (after > newest || after < oldest - 1)) {
        const kept = newest === 0 ? 'there are no events yet' : `events ${oldest} to ${newest} are kept`;
        return { kind: 'unknownAfter', message: `no event has that id: ${kept}. Subscribe without \`after\`.` };
      }
      if (seen === null || watchers.size === 0) seen = Math.max(seen ?? 0, newest);
      const watcher = join(watch, { from: after ?? newest, liveAfter: seen });
      return { kind: 'watching', notices: notify(deps, watcher, newest) };
    },
    async [Symbol.asyncDispose]() {
      hint[Symbol.dispose]();
      for (const watcher of watchers) watcher.outbox.close();
      await pump[Symbol.asyncDispose]();
    },
  };
}

function isWanted({ watch, from }: Watcher, event: BreakerEvent): boolean {
  return event.sequence > from && (watch.provider === null || watch.provider === event.provider);
}

/** Everything one watcher is told, in order: present states or the history since `after`, then live changes. */
async function* notify(
  { store, configurations }: { readonly store: Store; readonly configurations: Pick<Configurations, 'now'> },
  watcher: Watcher,
  newest: number,
): AsyncGenerator<BreakerNotice> {
  const { watch, leave } = watcher;
  /** What was told of each provider: a change that a present state already holds is not told again. */
  const epochs = new Map<string, number>();
  try {
    if (watch.after === null && watch.includeCurrent) {
      const { nowMs, providers } = await store.survey();
      for (const { state } of providers) {
        if (findProvider(configurations.now().registry, state.provider) === undefined) continue;
        if (watch.signal.aborted || (watch.provider !== null && watch.provider !== state.provider)) continue;
        epochs.set(state.provider, state.breaker.epoch);
        yield { kind: 'present', state, sequence: newest, atMs: nowMs, dropped: 0 };
      }
    }
    for await (const { event, dropped } of eventsAfter(store, watcher)) {
      const isNews = event.transition.epoch > (epochs.get(event.provider) ?? -1);
      if (isNews && isWanted(watcher, event)) yield { kind: 'changed', event, dropped };
    }
  } finally {
    leave();
  }
}

/** History up to where live events queue, then those. */
async function* eventsAfter(
  store: Store,
  { watch, outbox, from, liveAfter }: Watcher,
): AsyncGenerator<{ readonly event: BreakerEvent; readonly dropped: number }> {
  let at = from;
  while (at < liveAfter && !watch.signal.aborted) {
    const page = (await store.tail(at, HUB.pageMax)).filter((event) => event.sequence <= liveAfter);
    for (const event of page) if (!watch.signal.aborted) yield { event, dropped: 0 };
    at = page.at(-1)?.sequence ?? liveAfter;
  }
  for (let taken = await outbox.take(); taken !== null; taken = await outbox.take()) {
    if (taken.item.sequence > at) yield { event: taken.item, dropped: taken.dropped };
  }
}
