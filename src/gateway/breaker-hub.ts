import type { BreakerEvent } from '../ports/breaker-events.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import type { BreakerNotice } from './breaker-notice.ts';
import type { BreakerWatch, BreakerWatchAnswer } from './gateway.ts';
import { makeOutbox, type Outbox } from './outbox.ts';
import { startPump } from './pump.ts';

/** `pollMs` is the truth when a hint is lost; `pageMax` bounds one read. */
const HUB = { watchersMax: 1_000, backlogMax: 256, pollMs: 1_000, pageMax: 500 } as const;

/** Passes the changes of all breakers on to everyone who watches, each through a bounded queue of its own. */
export interface BreakerHub extends AsyncDisposable {
  watch(watch: BreakerWatch): Promise<BreakerWatchAnswer>;
}

/** What one watcher still has to be told before live events begin, and where those queue meanwhile. */
interface Watcher {
  readonly watch: BreakerWatch;
  readonly outbox: Outbox<BreakerEvent>;
  /** Sequence after which live events queue: everything up to it is read from the history. */
  readonly liveAfter: number;
}

export function makeBreakerHub(deps: { readonly store: Store; readonly clock: Clock; readonly log: Log }): BreakerHub {
  const { store } = deps;
  const outboxes = new Set<Outbox<BreakerEvent>>();
  /** Everything up to here was passed on. Null before the first watcher. */
  let seen: number | null = null;

  const passOn = async () => {
    if (seen === null) return;
    const events = await store.tail(seen, HUB.pageMax);
    for (const event of events) {
      if (event.sequence <= seen) continue;
      for (const outbox of outboxes) outbox.put(event);
      seen = event.sequence;
    }
    if (events.length === HUB.pageMax) pump.wake();
  };
  const pump = startPump({ ...deps, everyMs: HUB.pollMs, isNeeded: () => outboxes.size > 0, act: passOn });
  const hint = store.onHint(pump.wake);

  const join = (watch: BreakerWatch, liveAfter: number): Watcher => {
    const outbox = makeOutbox<BreakerEvent>(HUB.backlogMax);
    outboxes.add(outbox);
    watch.signal.addEventListener('abort', outbox.close, { once: true });
    if (watch.signal.aborted) outbox.close();
    pump.wake();
    return { watch, outbox, liveAfter };
  };
  const leave = (watcher: Watcher) => {
    watcher.outbox.close();
    watcher.watch.signal.removeEventListener('abort', watcher.outbox.close);
    outboxes.delete(watcher.outbox);
  };

  return {
    async watch(watch) {
      if (outboxes.size >= HUB.watchersMax) {
        return { kind: 'tooManyWatchers', message: `this replica serves at most ${HUB.watchersMax} watchers at once` };
      }
      const { oldest, newest } = await store.range();
      const { after } = watch;
      if (after !== null && (after > newest || after < oldest - 1)) {
        const kept = newest === 0 ? 'there are no events yet' : `events ${oldest} to ${newest} are kept`;
        return { kind: 'unknownAfter', message: `no event has that id: ${kept}. Subscribe without \`after\`.` };
      }
      if (seen === null || outboxes.size === 0) seen = newest;
      const watcher = join(watch, seen);
      return { kind: 'watching', notices: notify(store, watcher, { newest, leave: () => leave(watcher) }) };
    },
    async [Symbol.asyncDispose]() {
      hint[Symbol.dispose]();
      for (const outbox of outboxes) outbox.close();
      await pump[Symbol.asyncDispose]();
    },
  };
}

/** Everything one watcher is told, in order: present states or the history since `after`, then live changes. */
async function* notify(
  store: Store,
  watcher: Watcher,
  end: { readonly newest: number; readonly leave: () => void },
): AsyncGenerator<BreakerNotice> {
  const { watch, outbox } = watcher;
  const isWanted = (provider: string) => watch.provider === null || watch.provider === provider;
  /** What was told of each provider: a change that a present state already holds is not told again. */
  const epochs = new Map<string, number>();
  try {
    if (watch.after === null && watch.includeCurrent) {
      const { nowMs, providers } = await store.survey();
      for (const { state } of providers.filter((survey) => isWanted(survey.state.provider))) {
        epochs.set(state.provider, state.breaker.epoch);
        yield { kind: 'present', state, sequence: end.newest, atMs: nowMs, dropped: 0 };
      }
    }
    for await (const { event, dropped } of eventsAfter(store, watcher, watch.after ?? end.newest)) {
      const isNews = event.transition.epoch > (epochs.get(event.provider) ?? -1);
      if (isNews && isWanted(event.provider) && !watch.signal.aborted) yield { kind: 'changed', event, dropped };
    }
  } finally {
    outbox.close();
    end.leave();
  }
}

/** History up to where live events queue, then those. */
async function* eventsAfter(
  store: Store,
  { outbox, liveAfter }: Watcher,
  after: number,
): AsyncGenerator<{ readonly event: BreakerEvent; readonly dropped: number }> {
  let at = after;
  while (at < liveAfter) {
    const page = (await store.tail(at, HUB.pageMax)).filter((event) => event.sequence <= liveAfter);
    for (const event of page) yield { event, dropped: 0 };
    at = page.at(-1)?.sequence ?? liveAfter;
  }
  for (let taken = await outbox.take(); taken !== null; taken = await outbox.take()) {
    if (taken.item.sequence > at) yield { event: taken.item, dropped: taken.dropped };
  }
}
