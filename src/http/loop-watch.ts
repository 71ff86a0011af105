import { LOAD, type Strain, strainOf } from '../core/load.ts';
import type { Clock } from '../ports/clock.ts';

/** Watches how late the event loop is. Disposing of it ends that. */
export interface LoopWatch extends Disposable {
  readonly strain: Strain;
  start(): void;
}

/** `changed` is told of each new strain. */
export function makeLoopWatch(clock: Clock, changed: (strain: Strain) => void): LoopWatch {
  let strain: Strain = 'calm';
  let latenessMs: readonly number[] = [];
  let timer: Disposable | null = null;
  const wait = () => {
    const dueMs = clock.elapsedMs() + LOAD.beatMs;
    timer = clock.after(LOAD.beatMs, () => beat(dueMs));
  };
  const beat = (dueMs: number) => {
    latenessMs = [...latenessMs, clock.elapsedMs() - dueMs].slice(-LOAD.beats);
    const before = strain;
    strain = strainOf(before, latenessMs);
    wait();
    if (strain !== before) changed(strain);
  };
  return {
    get strain() {
      return strain;
    },
    start: wait,
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}
