import { type Breaker, type Passage, passageOf } from './breaker.ts';
import type { ProviderKey } from './ids.ts';
import { isInForce, type Simulation } from './simulation.ts';
import type { EpochMs } from './time.ts';

/** How long a provider that refused our credentials is set aside before one more attempt may find out. */
export const SET_ASIDE_MS = 600_000;

/** The longest that a Retry-After is believed. */
export const THROTTLE_MS_MAX = 600_000;

/** What all replicas know of one provider at one instant. */
export interface ProviderState {
  readonly provider: ProviderKey;
  readonly breaker: Breaker;
  readonly isEnabled: boolean;
  /** The provider itself asked us to wait. Null when it did not, or that time has passed. */
  readonly throttledUntilMs: EpochMs | null;
  /** It refused our credentials. Null when it did not, or that time has passed. */
  readonly setAside: SetAside | null;
  /** Null when none is in force. */
  readonly simulation: Simulation | null;
  /** When the rolling limit has a free slot. Null: now. */
  readonly slotFreeAtMs: EpochMs | null;
}

export interface SetAside {
  readonly untilMs: EpochMs;
  /** What the provider said. */
  readonly detail: string;
}

/** Why a provider cannot take an attempt now, apart from money. Null when it can. */
export type ProviderRefusal =
  | { readonly kind: 'disabled' }
  | { readonly kind: 'setAside'; readonly untilMs: EpochMs; readonly detail: string }
  | { readonly kind: 'breakerOpen'; readonly untilMs: EpochMs }
  | { readonly kind: 'breakerProbing'; readonly untilMs: EpochMs }
  | { readonly kind: 'throttled'; readonly untilMs: EpochMs }
  | { readonly kind: 'rateLimited'; readonly untilMs: EpochMs };

/** A question that takes nothing: planning asks it, and `admit` asks it again before it takes. */
export function refusalOf(state: ProviderState, nowMs: EpochMs): ProviderRefusal | null {
  if (!state.isEnabled) return { kind: 'disabled' };
  const { setAside, throttledUntilMs, slotFreeAtMs } = state;
  if (setAside !== null && setAside.untilMs > nowMs) return { kind: 'setAside', ...setAside };
  const blocked = refusalOfPassage(passageOf(state.breaker, nowMs));
  if (blocked !== null) return blocked;
  if (throttledUntilMs !== null && throttledUntilMs > nowMs) return { kind: 'throttled', untilMs: throttledUntilMs };
  if (slotFreeAtMs !== null && slotFreeAtMs > nowMs) return { kind: 'rateLimited', untilMs: slotFreeAtMs };
  return null;
}

function refusalOfPassage(passage: Passage): ProviderRefusal | null {
  switch (passage.kind) {
    case 'through':
    case 'asProbe':
      return null;
    case 'open':
      return { kind: 'breakerOpen', untilMs: passage.reopensAtMs };
    case 'probing':
      return { kind: 'breakerProbing', untilMs: passage.leaseEndsAtMs };
    default:
      return passage satisfies never;
  }
}

/** The simulation that plays now. Null when there is none or it has ended. */
export function simulationOf(state: ProviderState, nowMs: EpochMs): Simulation | null {
  return state.simulation !== null && isInForce(state.simulation, nowMs) ? state.simulation : null;
}
