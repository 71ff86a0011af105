import type { ApiKeyId } from '../core/ids.ts';
import type { ApiKeysPort } from '../ports/api-keys.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { KnownEnds } from './known-ends.ts';
import { startPump } from './pump.ts';

/**
 * `pollMs` is the truth when a hint is lost. What ended is told again for `againMs`: also of a connection that was let in by what was known
 * just before, and of an end that was written down late.
 */
const WATCH = { pollMs: 1_000, againMs: 60_000 } as const;

/** Tells whoever is concerned which keys have ended, on all replicas: because they were revoked, or because they expired. */
export interface KeyWatch extends AsyncDisposable {
  /** Calls back for each key that works no more, more than once for the same one. */
  onKeyEnded(act: (id: ApiKeyId) => void): Disposable;
}

export function startKeyWatch(deps: {
  readonly store: Pick<ApiKeysPort, 'endedKeys' | 'onKeysChanged'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Told before everybody else. */
  readonly forget: (ids: readonly ApiKeyId[]) => void;
  readonly ends: Pick<KnownEnds, 'ended'>;
}): KeyWatch {
  const { store, clock } = deps;
  const listeners = new Set<(id: ApiKeyId) => void>();
  /** By the monotonic clock. What ended before this replica began concerns nobody here. */
  let seenAtMs = clock.elapsedMs();

  const tellOf = (ended: readonly ApiKeyId[]) => {
    deps.forget(ended);
    for (const id of ended) for (const tell of listeners) tell(id);
  };
  const look = async () => {
    // First, for it needs no store.
    tellOf(deps.ends.ended(WATCH.againMs));
    const lookedAtMs = clock.elapsedMs();
    const ended = await store.endedKeys(lookedAtMs - seenAtMs + WATCH.againMs);
    seenAtMs = lookedAtMs;
    tellOf(ended);
  };
  const pump = startPump({ ...deps, everyMs: WATCH.pollMs, isNeeded: () => true, act: look });
  const hint = store.onKeysChanged(pump.wake);
  pump.wake();

  return {
    onKeyEnded(act) {
      listeners.add(act);
      return { [Symbol.dispose]: () => listeners.delete(act) };
    },
    async [Symbol.asyncDispose]() {
      hint[Symbol.dispose]();
      await pump[Symbol.asyncDispose]();
    },
  };
}
