import type { ProviderKey } from '../core/ids.ts';
import { NO_PACE, type Pace, type PaceSample, withSample } from '../core/pace.ts';
import type { Registry } from '../core/registry.ts';

/** How fast each model has answered this replica lately. Bounded by the registry's size times the samples kept of each model. */
export interface PaceBook {
  of(provider: ProviderKey, model: string): Pace;
  note(answer: PaceSample & { readonly provider: ProviderKey; readonly model: string }): void;
  /** Forgets the models that a registry does not have. */
  keepOnly(registry: Registry): void;
}

export function makePaceBook(): PaceBook {
  const paces = new Map<string, Pace>();
  const keyOf = (provider: ProviderKey, model: string) => `${provider}/${model}`;
  return {
    of: (provider, model) => paces.get(keyOf(provider, model)) ?? NO_PACE,
    note: ({ provider, model, durationMs, outputTokens }) => {
      const key = keyOf(provider, model);
      paces.set(key, withSample(paces.get(key) ?? NO_PACE, { durationMs, outputTokens }));
    },
    keepOnly: ({ providers }) => {
      const kept = new Set(providers.flatMap(({ key, models }) => models.map(({ name }) => keyOf(key, name))));
      for (const key of paces.keys()) if (!kept.has(key)) paces.delete(key);
    },
  };
}
