import type { ProviderKey } from '../core/ids.ts';
import { findProvider, type ProviderKind, type Registry } from '../core/registry.ts';

/** What the conventions for generative AI call a provider. One that they do not know, and a mock, has the key of the registry. */
export function genAiNameOf(registry: Registry, key: ProviderKey): string {
  const kind = findProvider(registry, key)?.kind ?? 'mock';
  return NAMES[kind] ?? key;
}

const NAMES = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'gcp.gemini',
  openaiCompatible: null,
  mock: null,
} as const satisfies Record<ProviderKind, string | null>;
