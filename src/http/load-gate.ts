import { isRefused, OVERLOAD_RETRY_MS, type Wish } from '../core/load.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { DoorFault } from './answer.ts';
import { makeInFlight } from './in-flight.ts';
import { makeLoopWatch } from './loop-watch.ts';

/** While many are sent away, the log says so this often. */
const LOG_EVERY_MS = 10_000;

/** Lets operations in as long as this replica can serve them well. What is in is never touched. */
export interface LoadGate extends Disposable {
  /** Begins to watch the event loop. */
  open(): void;
  /** Null: there is room. */
  refuse(wish: Wish): DoorFault | null;
  /** Fills one place until the work has ended, in whichever way. */
  run<Result>(work: () => Result | Promise<Result>): Promise<Result>;
}

export type LoadMeters = Pick<Meters, 'operationsInFlight' | 'operationsRefused'>;

export function makeLoadGate(deps: {
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: LoadMeters;
  readonly countMax: number;
  /** What runs beside those who are let in. */
  readonly unattended: () => number;
}): LoadGate {
  const { clock, log, meters, countMax } = deps;
  const inside = makeInFlight();
  const loop = makeLoopWatch(clock, (strain) => {
    const fields = { strain, count: inside.count };
    if (strain === 'calm') log.info('the event loop is in time again', fields);
    else log.warn('the event loop is late', fields);
  });
  let refusedCount = 0;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  const tell = () => {
    refusedCount += 1;
    meters.operationsRefused.add(1);
    const nowMs = clock.elapsedMs();
    if (nowMs - loggedAtMs < LOG_EVERY_MS) return;
    log.warn('operations are sent away: too much is under way', { refusedCount, count: inside.count, countMax });
    refusedCount = 0;
    loggedAtMs = nowMs;
  };
  return {
    open: () => loop.start(),
    refuse(wish) {
      if (!isRefused(wish, { count: inside.count + deps.unattended(), countMax, strain: loop.strain })) return null;
      tell();
      return FAULTS[wish];
    },
    async run(work) {
      const running = inside.run(work);
      meters.operationsInFlight.set(inside.count);
      try {
        return await running;
      } finally {
        meters.operationsInFlight.set(inside.count);
      }
    },
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  };
}

const FAULT = { status: 503, code: 'OVERLOADED', retryAfterMs: OVERLOAD_RETRY_MS } as const;

const FAULTS: Readonly<Record<Wish, DoorFault>> = {
  read: { ...FAULT, message: 'This replica is too busy for queries: chats come first. Send it again in a second.' },
  act: { ...FAULT, message: 'This replica is too busy. Nothing was run: send it again in a second.' },
};
