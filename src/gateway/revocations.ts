import type { ApiKey } from '../core/api-key.ts';
import type { ApiKeyId } from '../core/ids.ts';
import { EVERYBODY } from '../core/view.ts';
import type { GatewayDeps } from './deps.ts';
import type { Gateway } from './gateway.ts';

/**
 * Stops the chats of keys that were revoked, also those with an idempotency key, which run on when their caller is cut off. They end as
 * those that `cancelChat` stops. What a key left that expired, or whose overlap is over, runs to its end.
 */
export function stopRevoked(
  { live, store, log }: Pick<GatewayDeps, 'live' | 'store' | 'log'>,
  keys: Pick<Gateway, 'onKeyEnded'>,
): Disposable {
  const stop = async (id: ApiKeyId) => {
    const calls = live.callsOf(id);
    if (calls.length === 0) return;
    const key = await store.findKey(id);
    for (const { requestId, caller } of calls) {
      if (key !== null && caller.kind === 'key' && isRevoked(key, caller.key)) void live.stop(requestId, EVERYBODY);
    }
  };
  return keys.onKeyEnded((id) => {
    // An end is told again and again: the next time may do what this one could not.
    stop(id).catch((error) => log.warn('chats of a key that ended are not stopped yet', { error: String(error) }));
  });
}

/** An end that was known when the chat began is that of an overlap. */
function isRevoked({ revokedAtMs, expiresAtMs }: ApiKey, atStart: ApiKey): boolean {
  if (revokedAtMs === null || revokedAtMs === atStart.revokedAtMs) return false;
  return expiresAtMs === null || revokedAtMs < expiresAtMs;
}
