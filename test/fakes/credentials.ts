import type { ApiKey, CallerLimits } from '../../src/core/api-key.ts';
import { type ApiKeyId, apiKeyId } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/scope.ts';
import { epochMs } from '../../src/core/time.ts';
import { ADMIN_CALLER } from '../../src/gateway/caller.ts';
import type { Authenticated, Gateway } from '../../src/gateway/gateway.ts';

/** Secrets that a test gives out, and takes back. */
export interface FakeCredentials extends Pick<Gateway, 'authenticate' | 'onKeyEnded'> {
  /** Thrown when somebody is to be recognised. Null: nothing is. */
  fault: Error | null;
  /** How often somebody was to be recognised. */
  asked: number;
  /** Lets a key work from now on, and answers its secret. */
  give(key: Partial<ApiKey> & { readonly id: ApiKeyId }): string;
  /** The operator's own. */
  giveAdmin(): string;
  /** The key works no more, and everybody is told. */
  end(id: ApiKeyId): void;
}

const NO_LIMITS: CallerLimits = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };

export function makeKey(over: Partial<ApiKey> & { readonly id: ApiKeyId }): ApiKey {
  const scopes: readonly Scope[] = ['chat', 'requests:read'];
  const unset = { userId: null, teamId: null, lastUsedAtMs: null, expiresAtMs: null, revokedAtMs: null };
  const named = { line: over.id, name: over.id, prefix: `sy_${over.id}` };
  return { ...named, scopes, ...unset, limits: NO_LIMITS, createdAtMs: epochMs(0), ...over };
}

export const KEY_A = apiKeyId('aaaaaaaaaaaa');
export const KEY_B = apiKeyId('bbbbbbbbbbbb');

export function makeFakeCredentials(): FakeCredentials {
  const known = new Map<string, Authenticated>();
  const watching = new Set<(id: ApiKeyId) => void>();
  return {
    fault: null,
    asked: 0,
    give(over) {
      const secret = `sy_${over.id}_secret`;
      known.set(secret, { kind: 'known', caller: { kind: 'key', key: makeKey(over) } });
      return secret;
    },
    giveAdmin() {
      known.set('the-operators-own', { kind: 'known', caller: ADMIN_CALLER });
      return 'the-operators-own';
    },
    end(id) {
      known.set(`sy_${id}_secret`, { kind: 'refused', why: 'revoked' });
      for (const tell of watching) tell(id);
    },
    async authenticate(secret) {
      this.asked += 1;
      if (this.fault !== null) throw this.fault;
      return known.get(secret) ?? { kind: 'refused', why: 'unknown' };
    },
    onKeyEnded(act) {
      watching.add(act);
      return { [Symbol.dispose]: () => void watching.delete(act) };
    },
  };
}
