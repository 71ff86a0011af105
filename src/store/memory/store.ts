import type { ReplicaId } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';
import type { EpochMs } from '../../core/time.ts';
import type { Store } from '../../ports/store.ts';
import { makeMemoryAdmission } from './admission.ts';
import { makeMemoryApiKeys } from './api-keys.ts';
import { makeMemoryAudit } from './audit.ts';
import { makeMemoryBooks } from './books.ts';
import { makeMemoryCallerLimits } from './caller-limits.ts';
import { makeMemoryContent } from './content.ts';
import { makeMemoryEvents } from './events.ts';
import { makeMemoryShares } from './fair-shares.ts';
import { makeMemoryFleet } from './fleet.ts';
import { makeMemoryKeys } from './idempotency.ts';
import { makeMemoryOperations } from './operations.ts';
import { makeMemoryRequestLog } from './request-log.ts';
import { adoptRegistry, makeMemoryState } from './state.ts';
import { makeMemoryWire } from './wire.ts';

/** A store that lives and dies with the process. Its clock is handed in. */
export function makeMemoryStore(options: {
  readonly registry: Registry;
  readonly now: () => EpochMs;
  readonly replica: ReplicaId;
}): Store {
  const state = makeMemoryState(options);
  return {
    kind: 'memory',
    ...makeMemoryAdmission(state),
    ...makeMemoryOperations(state),
    ...makeMemoryAudit(state),
    ...makeMemoryApiKeys(state),
    ...makeMemoryEvents(state),
    ...makeMemoryFleet(),
    ...makeMemoryBooks(state),
    ...makeMemoryRequestLog({ now: options.now }),
    ...makeMemoryContent({ now: options.now }),
    ...makeMemoryKeys({ now: options.now }),
    ...makeMemoryCallerLimits({ now: options.now }),
    ...makeMemoryShares(state),
    ...makeMemoryWire(),
    adopt: async (registry) => adoptRegistry(state, registry),
    ping: async () => undefined,
    absence: () => null,
    mode: () => ({ kind: 'normal' }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
