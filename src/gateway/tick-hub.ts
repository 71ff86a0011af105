import { ANALYTICS_LIMITS, NO_FILTER } from '../core/analytics.ts';
import { type Pace, paceFor, type Tick, tickOf } from '../core/tick.ts';
import { later } from '../core/time.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { View } from '../core/view.ts';
import { viewOf } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { LiveTick, TickWatch, TickWatchAnswer } from './gateway.ts';
import type { Outbox } from './outbox.ts';
import { makeTickBeat, type TickBeat } from './tick-beat.ts';
import { makeTurns } from './turns.ts';
import { makeWatchPlaces } from './watch-places.ts';

/**
 * There are as many paces as core has steps, for each view that somebody has. One costs a reading for each tick, however many watch it,
 * and there is never more than one reading at a time.
 */
const HUB = { watchersMax: 1_000 } as const;

/** Makes summaries at the paces that somebody watches, and none while nobody does. */
export interface TickHub extends AsyncDisposable {
  watch(watch: TickWatch): Promise<TickWatchAnswer>;
}

export function makeTickHub(deps: Pick<GatewayDeps, 'store' | 'clock' | 'log' | 'configurations'>): TickHub {
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
  const begin = (pace: Pace, view: View): TickBeat => {
    const name = nameOf(pace, view);
    // Views of one pace take about as long as each other: how long is remembered for all of them.
    const makeTick = () => inTurn(paceNameOf(pace), () => readTick(deps, pace, view));
    const beat = makeTickBeat({ pace, clock, makeTick, onFault, onIdle: () => beats.delete(name) });
    beats.set(name, beat);
    return beat;
  };
  return {
    async watch({ pace: wish, caller, signal }) {
      const view = viewOf(caller);
      const pace = paceFor(wish);
      if (signal.aborted) return { kind: 'watching', ticks: nothing() };
      const refusal = places.refuse(caller);
      if (refusal !== null) return { kind: 'tooManyWatchers', message: refusal };
      const beat = beats.get(nameOf(pace, view)) ?? begin(pace, view);
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

async function readTick(
  { store, clock, configurations }: Pick<GatewayDeps, 'store' | 'clock' | 'configurations'>,
  pace: Pace,
  view: View,
) {
  const toMs = clock.now();
  const window = { fromMs: later(toMs, -pace.windowMs), toMs };
  const query = { window, groupBy: ['provider'], filter: NO_FILTER, intervalsMs: [], view } as const;
  const [report, inFlight] = await Promise.all([
    store.analyse({ ...query, groupsMax: ANALYTICS_LIMITS.groupsMax }),
    view.kind === 'nobody' ? 0 : store.countUnderWay(view.kind === 'one' ? view.account : null),
  ]);
  const { registry } = configurations.now();
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

function nameOf(pace: Pace, view: View): string {
  const whose = view.kind === 'one' ? `${view.line} and ${view.account}` : view.kind;
  return `${paceNameOf(pace)} of ${whose}`;
}

function paceNameOf({ everyMs, windowMs }: Pace): string {
  return `every ${everyMs} ms over ${windowMs} ms`;
}
