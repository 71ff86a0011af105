import type { ServerResponse } from 'node:http';

/** Those who wait for an answer over HTTP. */
export interface Callers {
  /** Aborts when this one hangs up before the answer has gone out. Disposing forgets it. */
  waitingFor(response: ServerResponse): WaitingCaller;
  /** Tells everything under way that its caller is gone. */
  abortAll(): void;
}

export interface WaitingCaller extends Disposable {
  readonly signal: AbortSignal;
  abort(): void;
}

export function makeCallers(): Callers {
  const waiting = new Set<AbortController>();
  return {
    waitingFor(response) {
      const caller = new AbortController();
      waiting.add(caller);
      response.once('close', () => {
        if (!response.writableFinished) caller.abort();
      });
      return {
        signal: caller.signal,
        abort: () => caller.abort(),
        [Symbol.dispose]: () => void waiting.delete(caller),
      };
    },
    abortAll() {
      for (const caller of waiting) caller.abort();
    },
  };
}
