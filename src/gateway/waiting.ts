import { tenantOf } from '../core/fair-share.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { ChatOutcome, Unanswered } from '../core/outcome.ts';
import type { EpochMs } from '../core/time.ts';
import type { Payer } from './caller.ts';
import type { GatewayDeps } from './deps.ts';

/** Endings after which a caller comes back for a slot. */
const WAITING: readonly Unanswered['kind'][] = ['rateLimited', 'noProviderAvailable'];

/**
 * Notes that a tenant waits for providers whose rolling limits were used up, so that others leave it room when it comes back. Nobody
 * waits for that, and nothing but fairness is lost when it fails.
 */
export function noteWaiting(deps: GatewayDeps, payer: Payer, outcome: ChatOutcome): void {
  if (outcome.kind !== 'ended' || !WAITING.includes(outcome.why.kind)) return;
  const until = new Map<ProviderKey, EpochMs>();
  for (const { provider, rejection } of outcome.routing.candidates) {
    if (rejection?.reason === 'rateLimited' && rejection.untilMs !== null) until.set(provider, rejection.untilMs);
  }
  const at = Array.from(until, ([provider, untilMs]) => ({ provider, untilMs }));
  if (at.length === 0) return;
  deps.store.noteWaiting({ tenant: tenantOf(payer), at }).catch((error: unknown) => {
    deps.log.debug('who waits for a provider could not be noted', { error: String(error) });
  });
}
