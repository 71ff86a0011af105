import type { RoutingDecision } from '../core/decision.ts';
import { type Tenant, tenantOf } from '../core/fair-share.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { ChatOutcome, Unanswered } from '../core/outcome.ts';
import { isWantOfSlot } from '../core/reject.ts';
import type { EpochMs } from '../core/time.ts';
import type { FairSharesPort } from '../ports/fair-shares.ts';
import type { Log } from '../ports/log.ts';
import type { Payer } from './caller.ts';

/** Endings after which a caller comes back for a slot. */
const WAITING: readonly Unanswered['kind'][] = ['rateLimited', 'noProviderAvailable'];

/** How much later an end must lie than the last one that was noted, and how many are remembered. */
const NOTED = { laterMsMin: 1_000, max: 10_000 } as const;

/**
 * Notes that a tenant waits for providers whose rolling limits were used up, so that others leave it room when it comes back. Nobody
 * waits for that, and nothing but fairness is lost when it fails. Who does not wait as told is not noted again each time.
 */
export interface WaitingBook {
  note(payer: Payer, outcome: ChatOutcome): void;
}

export function makeWaitingBook({ store, log }: { readonly store: FairSharesPort; readonly log: Log }): WaitingBook {
  const noted = new Map<string, EpochMs>();
  const isNew = (place: string, untilMs: EpochMs) => {
    const lastMs = noted.get(place);
    return lastMs === undefined || untilMs - lastMs >= NOTED.laterMsMin;
  };
  const remember = (place: string, untilMs: EpochMs) => {
    noted.delete(place);
    noted.set(place, untilMs);
    for (const oldest of noted.keys()) {
      if (noted.size <= NOTED.max) break;
      noted.delete(oldest);
    }
  };
  return {
    note(payer, outcome) {
      if (outcome.kind !== 'ended' || !WAITING.includes(outcome.why.kind)) return;
      const tenant = tenantOf(payer);
      const at = Array.from(slotsAwaited(outcome.routing.candidates), ([provider, untilMs]) => ({ provider, untilMs }));
      const fresh = at.filter(({ provider, untilMs }) => isNew(placeOf(tenant, provider), untilMs));
      if (fresh.length === 0) return;
      for (const { provider, untilMs } of fresh) remember(placeOf(tenant, provider), untilMs);
      store.noteWaiting({ tenant, at: fresh }).catch((error: unknown) => {
        for (const { provider } of fresh) noted.delete(placeOf(tenant, provider));
        log.debug('who waits for a provider could not be noted', { error: String(error) });
      });
    },
  };
}

function slotsAwaited(candidates: RoutingDecision['candidates']): ReadonlyMap<ProviderKey, EpochMs> {
  const until = new Map<ProviderKey, EpochMs>();
  for (const { provider, rejection } of candidates) {
    if (rejection === null || rejection.untilMs === null || !isWantOfSlot(rejection)) continue;
    until.set(provider, rejection.untilMs);
  }
  return until;
}

function placeOf(tenant: Tenant, provider: ProviderKey): string {
  return `${provider}\n${tenant}`;
}
