import type { Simulation } from '../core/simulation.ts';
import type { OnDelta, ProviderCall, ProviderPort, ProviderResult } from './provider.ts';

/** Makes one call under a simulated failure: fails without calling the provider, or (mode `slow`) calls it late. Never throws, as `ProviderPort.call`. */
export type SimulatorPort = (
  of: { readonly provider: ProviderPort; readonly simulation: Simulation },
  call: ProviderCall,
  signal: AbortSignal,
  onDelta?: OnDelta,
) => Promise<ProviderResult>;
