import type { CallerLimits } from '../../src/core/api-key.ts';
import { apiKeyId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import type { Caller } from '../../src/gateway/caller.ts';

/** Whoever comes with a key that has these limits, and may chat. */
export function callerWith(limits: Partial<CallerLimits>, line = 'line-1'): Caller & { readonly kind: 'key' } {
  return {
    kind: 'key',
    key: {
      id: apiKeyId(line),
      line: apiKeyId(line),
      name: 'test',
      prefix: 'test',
      scopes: ['chat'],
      userId: null,
      teamId: null,
      limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null, ...limits },
      createdAtMs: epochMs(0),
      lastUsedAtMs: null,
      expiresAtMs: null,
      revokedAtMs: null,
    },
  };
}
