import { nextTickMs, type Pace } from '../core/tick.ts';
import type { Clock } from '../ports/clock.ts';
import type { LiveTick } from './gateway.ts';
import { makeOutbox, type Outbox } from './outbox.ts';

/** One pace: makes a tick at each of its steps while somebody reads it, and gives each to all who do. */
export interface TickBeat extends AsyncDisposable {
  /** A place for one reader, which holds one tick: a slow reader finds the newest, not a queue of old ones. */
  join(): Outbox<LiveTick>;
  /** The newest tick; one that is made now if there is none, which rejects when it cannot be made. */
  newest(): Promise<LiveTick>;
  leave(reader: Outbox<LiveTick>): void;
}

export function makeTickBeat(of: {
  readonly pace: Pace;
  readonly clock: Clock;
  readonly makeTick: () => Promise<LiveTick>;
  readonly onFault: (error: unknown) => void;
  /** Nobody reads it and nothing is under way. */
  readonly onIdle: () => void;
}): TickBeat {
  const { pace, clock } = of;
  const firstMs = clock.elapsedMs();
  const readers = new Set<Outbox<LiveTick>>();
  /** Null before the first tick, and while none can be made. */
  let newest: LiveTick | null = null;
  let making: Promise<LiveTick> | null = null;
  let timer: Disposable | null = null;

  const make = (): Promise<LiveTick> => {
    timer?.[Symbol.dispose]();
    making ??= run().finally(() => {
      making = null;
      rest();
    });
    return making;
  };
  const run = async () => {
    newest = null;
    const tick = await of.makeTick();
    newest = tick;
    for (const reader of readers) reader.put(tick);
    return tick;
  };
  const rest = () => {
    timer?.[Symbol.dispose]();
    if (making !== null) return;
    if (readers.size === 0) {
      of.onIdle();
      return;
    }
    const nowMs = clock.elapsedMs();
    timer = clock.after(nextTickMs(pace, { firstMs, nowMs }) - nowMs, () => {
      make().catch(of.onFault);
    });
  };

  return {
    join() {
      const reader = makeOutbox<LiveTick>(1);
      readers.add(reader);
      return reader;
    },
    newest: async () => newest ?? make(),
    leave(reader) {
      reader.close();
      if (readers.delete(reader) && readers.size === 0) rest();
    },
    async [Symbol.asyncDispose]() {
      for (const reader of readers) reader.close();
      readers.clear();
      rest();
      await making?.catch(() => undefined);
    },
  };
}
