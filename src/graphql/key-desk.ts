import type { ApiKey } from '../core/api-key.ts';
import type { ApiKeyId } from '../core/ids.ts';
import type { Caller } from '../gateway/caller.ts';
import type { Gateway } from '../gateway/gateway.ts';

/** Finds each key once for one operation, however many of its requests came with it. */
export interface KeyDesk {
  /** Null: there is none, or the caller may not see it. */
  find(id: ApiKeyId): Promise<ApiKey | null>;
}

export function makeKeyDesk(gateway: Gateway, caller: Caller): KeyDesk {
  const found = new Map<ApiKeyId, Promise<ApiKey | null>>();
  return {
    find(id) {
      const key = found.get(id) ?? gateway.findKey(id, caller);
      found.set(id, key);
      return key;
    },
  };
}
