import { ANALYTICS_LIMITS, NO_FILTER } from '../core/analytics.ts';
import { type Pace, paceFor, type Tick, tickOf } from '../core/tick.ts';
import { later } from '../core/time.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { GatewayDeps } from './deps.ts';
import type { LiveTick, TickWatch, TickWatchAnswer } from './gateway.ts';
import type { Outbox } from './outbox.ts';
import { makeTickBeat, type TickBeat } from './tick-beat.ts';
import { makeTurns } from './turns.ts';
import { makeWatchPlaces } from './watch-places.ts';

/** There are as many paces as core has steps. One costs a reading for each tick, however many watch it. */
const HUB = { watchersMax: 1_000 } as const;

/** Makes summaries at the paces that somebody watches, and none while nobody does. */
export interface TickHub extends AsyncDisposable {
  watch(watch: TickWatch): Promise<TickWatchAnswer>;
}

export function makeTickHub(deps: Pick<GatewayDeps, 'store' | 'clock' | 'log' | 'registry'>): TickHub {
  const { clock, log } = deps;
  const beats = new Map<string, TickBeat>();
  // All paces together read one at a time: summaries of long windows leave the store to others, and short ones their turn.
  const inTurn = makeTurns(clock);
  const places = makeWatchPlaces(HUB.watchersMax);

  /** Those who watch are not told: a tick that is missing says it, and the next one that can be made comes by itself. */
  const onFault = (error: unknown) => {
    if (error instanceof StoreUnavailable) log.debug('no tick: the store is away', { reason: error.reason });
    else log.warn('a tick could not be made', { error: String(error) });
  };
  const begin = (pace: Pace, name: string): TickBeat => {
    const makeTick = () => inTurn(name, () => readTick(deps, pace));
    const beat = makeTickBeat({ pace, clock, makeTick, onFault, onIdle: () => beats.delete(name) });
    beats.set(name, beat);
    return beat;
  };
  return {
    async watch({ pace: wish, caller, signal }) {
      const pace = paceFor(wish);
      if (signal.aborted) return { kind: 'watching', ticks: nothing() };
      const refusal = places.refuse(caller);
      if (refusal !== null) return { kind: 'tooManyWatchers', message: refusal };
      const name = nameOf(pace);
      const beat = beats.get(name) ?? begin(pace, name);
      const outbox = beat.join();
      const leave = places.take({ caller, signal }, () => beat.leave(outbox));
      try {
        return { kind: 'watching', ticks: ticksFrom(await beat.newest(), outbox, leave) };
      } catch (error) {
        leave();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(beats.values(), (beat) => beat[Symbol.asyncDispose]()));
    },
  };
}

async function* ticksFrom(first: LiveTick, outbox: Outbox<LiveTick>, leave: () => void): AsyncGenerator<LiveTick> {
  try {
    yield first;
    for (let taken = await outbox.take(); taken !== null; taken = await outbox.take()) {
      // Whoever joined while the first one was made is handed it twice.
      if (taken.item !== first) yield taken.item;
    }
  } finally {
    leave();
  }
}

async function* nothing(): AsyncGenerator<LiveTick> {}

async function readTick({ store, clock, registry }: Pick<GatewayDeps, 'store' | 'clock' | 'registry'>, pace: Pace) {
  const toMs = clock.now();
  const window = { fromMs: later(toMs, -pace.windowMs), toMs };
  const query = { window, groupBy: ['provider'], filter: NO_FILTER, intervalsMs: [] } as const;
  const [report, inFlight] = await Promise.all([
    store.analyse({ ...query, groupsMax: ANALYTICS_LIMITS.groupsMax }),
    store.countUnderWay(),
  ]);
  const tick: Tick = tickOf({ window, report, registered: registry.providers.map(({ key }) => key), inFlight });
  let survey: ReturnType<LiveTick['survey']> | null = null;
  return {
    ...tick,
    survey() {
      survey ??= store.survey();
      return survey;
    },
  };
}

function nameOf({ everyMs, windowMs }: Pace): string {
  return `every ${everyMs} ms over ${windowMs} ms`;
}
