import type { Config } from '../config.ts';
import type { OpenConfiguration } from '../gateway/configuration.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Endpoint } from '../registry/endpoints.ts';
import { registryInForce } from '../registry/in-force.ts';
import { configHashOf } from './config-hash.ts';
import { makeProviders } from './make-providers.ts';
import type { Setup } from './read-setup.ts';

/** What a setup comes to: a registry in which mocks stand in, and open adapters. */
export async function openConfiguration(
  setup: Pick<Setup, 'config' | 'registry' | 'endpoints' | 'persisted'>,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<OpenConfiguration> {
  const { config, endpoints } = setup;
  const registry = registryInForce(setup.registry, endpoints);
  const providers = await makeProviders({ ...parts, config, endpoints, registry });
  return {
    registry,
    providers: providers.ports,
    configHash: configHashOf(setup, registry),
    areSimulationsEnabled: areSimulationsEnabled(config, endpoints),
    [Symbol.asyncDispose]: () => providers[Symbol.asyncDispose](),
  };
}

/** Faults are only injected by themselves where no real provider, and so no real money, is behind. */
function areSimulationsEnabled(config: Config, endpoints: readonly Endpoint[]): boolean {
  return config.simulations === 'auto'
    ? endpoints.every((endpoint) => endpoint.kind === 'mock')
    : config.simulations === 'on';
}
