import type { ModelSpec, ProviderSpec, Registry } from './registry.ts';

/** The model name that lets the router choose among all. */
export const AUTO = 'auto';

/** A provider's model that might answer. */
export interface Candidate {
  readonly provider: ProviderSpec;
  readonly model: ModelSpec;
  /** 0: the caller asked for it; 1 and up: the caller's fallbacks in order; null: only the router's own fallback. */
  readonly tier: number | null;
}

/** Whether a model answers to a name: its own, an alias, `provider/` and either, or `auto`. */
export function answersTo(name: string, provider: ProviderSpec, model: ModelSpec): boolean {
  if (name === AUTO) return true;
  const prefix = `${provider.key}/`;
  const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return model.name === name || model.name === bare || model.aliases.includes(bare);
}

/** Every model of the registry with the tier in which the caller asked for it, in the registry's order. */
export function candidatesOf(
  registry: Registry,
  asked: { readonly model: string; readonly fallbackModels: readonly string[] },
): readonly Candidate[] {
  const names = [asked.model, ...asked.fallbackModels];
  return registry.providers.flatMap((provider) =>
    provider.models.map((model) => {
      const tier = names.findIndex((name) => answersTo(name, provider, model));
      return { provider, model, tier: tier === -1 ? null : tier };
    }),
  );
}

/** True when at least one model answers to the name. */
export function isKnownModel(registry: Registry, name: string): boolean {
  return registry.providers.some((provider) => provider.models.some((model) => answersTo(name, provider, model)));
}
