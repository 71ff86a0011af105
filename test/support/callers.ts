import type { ApiKey } from '../../src/core/api-key.ts';
import { apiKeyId } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/scope.ts';
import { epochMs } from '../../src/core/time.ts';
import type { Caller } from '../../src/gateway/caller.ts';

/** Somebody with a key that is the first of its line, has no user and no limits, and works for ever. */
export function keyed(scopes: readonly Scope[], of: Partial<ApiKey> = {}): Extract<Caller, { kind: 'key' }> {
  const id = of.id ?? apiKeyId('keyOfNoUser0');
  const key: ApiKey = {
    id,
    line: id,
    name: 'a test',
    prefix: `sy_${id}`,
    scopes,
    userId: null,
    teamId: null,
    limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
    createdAtMs: epochMs(0),
    lastUsedAtMs: null,
    expiresAtMs: null,
    revokedAtMs: null,
    ...of,
  };
  return { kind: 'key', key };
}
