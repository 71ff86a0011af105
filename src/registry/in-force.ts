import { FREE_OF_CHARGE } from '../core/money.ts';
import type { ModelSpec, ProviderSpec, Registry } from '../core/registry.ts';
import type { Endpoint } from './endpoints.ts';

/** The registry as this process runs it: where a mock stands in, the provider is one, and its output is free, as in the seed. */
export function registryInForce(registry: Registry, endpoints: readonly Endpoint[]): Registry {
  const mocks = new Set(endpoints.flatMap((endpoint) => (endpoint.kind === 'mock' ? [endpoint.key] : [])));
  const standIn = (provider: ProviderSpec): ProviderSpec => ({
    ...provider,
    kind: 'mock',
    models: provider.models.map(billPromptOnly),
  });
  return {
    ...registry,
    providers: registry.providers.map((provider) => (mocks.has(provider.key) ? standIn(provider) : provider)),
  };
}

function billPromptOnly(model: ModelSpec): ModelSpec {
  return { ...model, price: { input: model.price.input, output: FREE_OF_CHARGE, cachedInput: null, reasoning: null } };
}
