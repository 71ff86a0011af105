import { type ApiKeyId, replicaId } from '../../src/core/ids.ts';
import { makeKeyDirectory } from '../../src/gateway/api-keys.ts';
import type { Caller } from '../../src/gateway/caller.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { KeyDirectory } from '../../src/gateway/key-directory.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { randomBytes, sha256 } from '../../src/wiring/system.ts';
import type { FakeClock } from './clock.ts';
import { REGISTRY } from './gateway-data.ts';

/** The real directory of keys on a memory store, and secrets that are known because a test says so. */
export interface FakeKeys extends KeyDirectory, Pick<Gateway, 'authenticate' | 'onKeyEnded'> {
  /** Who comes with which secret. */
  readonly callers: Map<string, Caller>;
  /** Tells whoever listens that a key works no more. */
  endKey(id: ApiKeyId): void;
}

export function makeFakeKeys(clock: FakeClock): FakeKeys {
  const store = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: replicaId('replica-1') });
  const callers = new Map<string, Caller>();
  const listeners = new Set<(id: ApiKeyId) => void>();
  return {
    ...makeKeyDirectory({ store, clock, digest: sha256, randomBytes }, { forget: () => {} }),
    callers,
    async authenticate(secret) {
      const caller = callers.get(secret);
      return caller === undefined ? { kind: 'refused', why: 'unknown' } : { kind: 'known', caller };
    },
    onKeyEnded(act) {
      listeners.add(act);
      return { [Symbol.dispose]: () => listeners.delete(act) };
    },
    endKey(id) {
      for (const tell of listeners) tell(id);
    },
  };
}
