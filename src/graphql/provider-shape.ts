import type { ProviderKey } from '../core/ids.ts';
import { findProvider, type ProviderSpec } from '../core/registry.ts';
import type { OperationContext } from './context.ts';
import { doorError } from './door-error.ts';
import type { ProviderShape } from './refs.ts';
import type { Sight } from './survey-desk.ts';

/** A provider by its key, one that left the registry included: old requests still name it. */
export function providerOf(context: OperationContext, key: ProviderKey): ProviderShape {
  return { key, spec: findProvider(context.gateway.registry, key) ?? null };
}

/** What only the registry knows. Throws for a provider that left it. */
export function specOf(provider: ProviderShape): ProviderSpec {
  if (provider.spec !== null) return provider.spec;
  throw doorError(
    'NOT_FOUND',
    `The provider "${provider.key}" is no longer in the registry: only its id, key and numbers are known. Leave this field out.`,
  );
}

/** How a provider stands now. Null for one that left the registry. */
export async function sightOf(provider: ProviderShape, context: OperationContext): Promise<Sight | null> {
  return provider.spec === null ? null : context.surveys.look(provider.key);
}
