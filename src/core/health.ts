import { passageOf } from './breaker.ts';
import { type ProviderState, simulationOf } from './provider-state.ts';
import type { EpochMs } from './time.ts';

export const HEALTHS = ['healthy', 'degraded', 'down', 'disabled'] as const;

/**
 * One word for a provider's present state. `disabled`: switched off, or set aside because it refused our credentials. `down`:
 * its breaker is open and no probe is due. `degraded`: it may be called, but something is not as it should be.
 */
export type Health = (typeof HEALTHS)[number];

export function healthOf(state: ProviderState, nowMs: EpochMs): Health {
  if (!state.isEnabled || isAhead(state.setAside?.untilMs ?? null, nowMs)) return 'disabled';
  const { circuit } = state.breaker;
  if (passageOf(state.breaker, nowMs).kind === 'open') return 'down';
  const isTroubled =
    circuit.kind !== 'closed' ||
    circuit.fails > 0 ||
    isAhead(state.throttledUntilMs, nowMs) ||
    simulationOf(state, nowMs) !== null;
  return isTroubled ? 'degraded' : 'healthy';
}

function isAhead(instant: EpochMs | null, nowMs: EpochMs): boolean {
  return instant !== null && instant > nowMs;
}
