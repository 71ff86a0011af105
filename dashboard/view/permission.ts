import type { GatewayFacts } from '../model/room-state.ts';

const ALL = 'admin';
/** Ids of the sentences on the page that say why buttons do nothing. */
export const BARS = { simulation: 'bar-simulation', operation: 'bar-operation' } as const;

/** Why failures cannot be simulated here. Null when they can. */
export function simulationBar(gateway: GatewayFacts | null): string | null {
  if (gateway === null) return 'Waiting for the gateway.';
  if (!gateway.areSimulationsEnabled)
    return 'Failures cannot be simulated: start the gateway with SIMULATIONS=on to allow it.';
  return scopeBar(gateway, 'chaos:write', 'simulate failures');
}

/** Why breakers and switches cannot be touched. Null when they can. */
export function operationBar(gateway: GatewayFacts | null): string | null {
  if (gateway === null) return 'Waiting for the gateway.';
  return scopeBar(gateway, 'providers:write', 'reset breakers or switch providers off');
}

function scopeBar({ scopes }: GatewayFacts, scope: string, act: string): string | null {
  return scopes.includes(scope) || scopes.includes(ALL)
    ? null
    : `Your key may not ${act}: that needs the scope ${scope}.`;
}
