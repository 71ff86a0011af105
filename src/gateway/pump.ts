import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** Runs an act again and again, never twice at once: when woken, and at a steady pace while it is needed. */
export interface Pump extends AsyncDisposable {
  /** Runs the act soon. Woken while it runs, it runs once more. */
  wake(): void;
}

export function startPump(options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
  readonly isNeeded: () => boolean;
  readonly act: () => Promise<void>;
}): Pump {
  let isStopped = false;
  let isAgain = false;
  let running: Promise<void> | null = null;
  let timer: Disposable | null = null;

  const run = async () => {
    do {
      isAgain = false;
      try {
        await options.act();
      } catch (error) {
        options.log.warn('a background task failed and will be tried again', { error: String(error) });
      }
    } while (isAgain && !isStopped);
    running = null;
    rest();
  };
  const rest = () => {
    timer?.[Symbol.dispose]();
    timer = isStopped || !options.isNeeded() ? null : options.clock.after(options.everyMs, wake);
  };
  const wake = () => {
    if (isStopped) return;
    isAgain = true;
    running ??= run();
  };

  return {
    wake,
    async [Symbol.asyncDispose]() {
      isStopped = true;
      timer?.[Symbol.dispose]();
      await running;
    },
  };
}
