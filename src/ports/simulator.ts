import type { Simulation } from '../core/simulation.ts';
import type { ProviderResult } from './provider.ts';

/** Plays a simulated failure in the place of a provider. */
export interface SimulatorPort {
  /**
   * How the simulated call ends. Null: after the simulated wait the real provider is to be called (mode `slow`).
   * When `signal` aborts, the wait ends at once and the failure is `timedOut` or `cancelled` by its reason.
   */
  play(simulation: Simulation, signal: AbortSignal): Promise<ProviderResult | null>;
}
