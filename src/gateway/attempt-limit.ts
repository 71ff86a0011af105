import type { Clock } from '../ports/clock.ts';

/** The time of one attempt. Disposing stops it. */
export interface AttemptLimit extends Disposable {
  /** Its answer has begun to come: from now on only the end of the request's time ends it. */
  begun(): void;
  /** It has ended the attempt. */
  isOver(): boolean;
}

/** Gives an attempt up that has not begun to answer within `beginMs`, or has not ended within `longestMs`. */
export function limitAttempt(of: {
  readonly clock: Clock;
  readonly beginMs: number;
  readonly longestMs: number;
  readonly giveUp: () => void;
}): AttemptLimit {
  const { clock } = of;
  const startedAtMs = clock.elapsedMs();
  let isOver = false;
  const end = () => {
    isOver = true;
    of.giveUp();
  };
  let timer = clock.after(of.beginMs, end);
  return {
    begun() {
      timer[Symbol.dispose]();
      timer = clock.after(startedAtMs + of.longestMs - clock.elapsedMs(), end);
    },
    isOver: () => isOver,
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}
