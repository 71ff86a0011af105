import { isRefused, lineMaxOf, OVERLOAD_RETRY_MS, type Wish } from '../core/load.ts';
import { type Caller, lineOf } from '../gateway/caller.ts';
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
  /** Null: there is room for it, and the caller's line of keys does not fill its share yet. */
  refuse(wish: Wish, caller: Caller): DoorFault | null;
  /** Fills one place, and one of the caller's, until the work has ended, in whichever way. */
  run<Result>(caller: Caller, work: () => Result | Promise<Result>): Promise<Result>;
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
  const lineMax = lineMaxOf(countMax);
  /** Of those who came with a key. */
  const lines = new Map<string, number>();
  const countLine = (caller: Caller, step: 1 | -1) => {
    const line = lineOf(caller);
    if (line === null) return;
    const next = (lines.get(line) ?? 0) + step;
    if (next === 0) lines.delete(line);
    else lines.set(line, next);
  };
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
    refuse(wish, caller) {
      const isFull = isRefused(wish, { count: inside.count + deps.unattended(), countMax, strain: loop.strain });
      const line = lineOf(caller);
      if (!isFull && (line === null || (lines.get(line) ?? 0) < lineMax)) return null;
      tell();
      return isFull ? FAULTS[wish] : { ...FAULT, message: lineMessage(lineMax) };
    },
    async run(caller, work) {
      countLine(caller, 1);
      const running = inside.run(work);
      meters.operationsInFlight.set(inside.count);
      try {
        return await running;
      } finally {
        countLine(caller, -1);
        meters.operationsInFlight.set(inside.count);
      }
    },
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  };
}

const FAULT = { status: 503, code: 'OVERLOADED', retryAfterMs: OVERLOAD_RETRY_MS } as const;

function lineMessage(lineMax: number): string {
  return `Your key has ${lineMax} operations under way here, which is all that one may have. Nothing was run: send it again in a second.`;
}

const FAULTS: Readonly<Record<Wish, DoorFault>> = {
  read: { ...FAULT, message: 'This replica is too busy for queries: chats come first. Send it again in a second.' },
  act: { ...FAULT, message: 'This replica is too busy. Nothing was run: send it again in a second.' },
};
