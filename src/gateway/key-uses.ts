import type { ApiKeyId } from '../core/ids.ts';
import type { ApiKeysPort } from '../ports/api-keys.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { startPump } from './pump.ts';

/** How often uses are written down, how many in one act, and how many are remembered until then. */
const USES = { everyMs: 60_000, batchMax: 1_000, keysMax: 10_000 } as const;

/** Gathers which keys are used, so that no request waits for that to be written. */
export interface KeyUses extends AsyncDisposable {
  note(id: ApiKeyId): void;
}

export function startKeyUses(deps: {
  readonly store: Pick<ApiKeysPort, 'touchKeys'> & Pick<Store, 'absence'>;
  readonly clock: Clock;
  readonly log: Log;
}): KeyUses {
  const { store, log } = deps;
  const used = new Set<ApiKeyId>();

  const write = async () => {
    while (used.size > 0 && store.absence() === null) {
      const batch = Array.from(used.values().take(USES.batchMax));
      await store.touchKeys(batch);
      for (const id of batch) used.delete(id);
    }
  };
  const pump = startPump({ ...deps, everyMs: USES.everyMs, isNeeded: () => true, act: write });
  pump.wake();

  return {
    note(id) {
      if (used.size < USES.keysMax) used.add(id);
    },
    async [Symbol.asyncDispose]() {
      await pump[Symbol.asyncDispose]();
      await write().catch((error: unknown) =>
        log.warn('when keys were last used is not written', { error: String(error) }),
      );
    },
  };
}
