import { type EpochMs, epochMs } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly act: () => void;
}

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on and runs what falls due on the way, in order of its time, at its time. */
  advance(ms: number): void;
  /** Time goes by while nothing can run, as when the event loop is busy: what falls due runs late, at the next advance. */
  stall(ms: number): void;
  /** How many timers are waiting: zero when everything was tidied up. */
  timerCount(): number;
}

export function makeFakeClock(startMs: EpochMs = epochMs(Date.UTC(2026, 0, 1))): FakeClock {
  const timers = new Set<Timer>();
  let elapsed = 0;

  function nextDue(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  return {
    // Whole milliseconds, as an EpochMs is.
    now: () => epochMs(startMs + Math.floor(elapsed)),
    elapsedMs: () => elapsed,
    after(delayMs, act) {
      const timer: Timer = { dueMs: elapsed + Math.max(0, delayMs), act };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    soon: (act) => void setImmediate(act),
    advance(ms) {
      if (ms < 0) throw new RangeError(`time does not go back, got ${ms}`);
      const untilMs = elapsed + ms;
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        timers.delete(timer);
        elapsed = Math.max(elapsed, timer.dueMs);
        timer.act();
      }
      elapsed = untilMs;
    },
    stall(ms) {
      elapsed += ms;
    },
    timerCount: () => timers.size,
  };
}
