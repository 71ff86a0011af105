import { replicaId } from '../../src/core/ids.ts';
import { makeKeyDirectory } from '../../src/gateway/api-keys.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { KeyDirectory } from '../../src/gateway/key-directory.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { randomBytes, sha256 } from '../../src/wiring/system.ts';
import type { FakeClock } from './clock.ts';
import { type FakeCredentials, makeFakeCredentials } from './credentials.ts';
import { REGISTRY } from './gateway-data.ts';

/** The real directory of keys on a memory store, and secrets that are known because a test says so. */
export interface FakeKeys extends KeyDirectory, Pick<Gateway, 'authenticate' | 'onKeyEnded'> {
  /** Who comes with which secret. */
  readonly credentials: FakeCredentials;
}

export function makeFakeKeys(clock: FakeClock): FakeKeys {
  const store = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: replicaId('replica-1') });
  const credentials = makeFakeCredentials();
  return {
    ...makeKeyDirectory({ store, clock, digest: sha256, randomBytes }, { forget: () => {} }),
    credentials,
    authenticate: (secret) => credentials.authenticate(secret),
    onKeyEnded: (act) => credentials.onKeyEnded(act),
  };
}
