import type { ServerResponse } from 'node:http';
import type { ApiKeyId } from '../core/ids.ts';

/** Those who wait for an answer over HTTP. */
export interface Callers {
  /** Aborts when this one hangs up before the answer has gone out. `key` is null for one who came without. Disposing forgets it. */
  waitingFor(response: ServerResponse, key: ApiKeyId | null): WaitingCaller;
  /** Hangs up on those who came with a key that works no more. */
  cutOff(key: ApiKeyId): void;
  /** Tells everything under way that its caller is gone. */
  abortAll(): void;
}

export interface WaitingCaller extends Disposable {
  readonly signal: AbortSignal;
  abort(): void;
}

interface Waiting {
  readonly response: ServerResponse;
  readonly key: ApiKeyId | null;
}

export function makeCallers(): Callers {
  const waiting = new Map<AbortController, Waiting>();
  return {
    waitingFor(response, key) {
      const caller = new AbortController();
      waiting.set(caller, { response, key });
      // They may have left while it was found out who they are.
      if (response.closed) caller.abort();
      response.once('close', () => {
        if (!response.writableFinished) caller.abort();
      });
      return {
        signal: caller.signal,
        abort: () => caller.abort(),
        [Symbol.dispose]: () => void waiting.delete(caller),
      };
    },
    cutOff(key) {
      for (const each of waiting.values()) if (each.key === key) each.response.destroy();
    },
    abortAll() {
      for (const caller of waiting.keys()) caller.abort();
    },
  };
}
