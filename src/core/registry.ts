import type { Category } from './category.ts';
import type { ProviderKey } from './ids.ts';
import type { PriceCard } from './usage.ts';

export const PROVIDER_KINDS = ['openai', 'anthropic', 'gemini', 'openaiCompatible', 'mock'] as const;

/** Which protocol a provider speaks. */
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

export const CAPABILITIES = ['streaming', 'tools', 'jsonSchema', 'vision', 'reasoning'] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** Parameters of a request that some models do not take. */
export const PARAMETERS = [
  'temperature',
  'topP',
  'presencePenalty',
  'frequencyPenalty',
  'stop',
  'seed',
  'reasoningEffort',
  'parallelToolCalls',
  'jsonObject',
] as const;

export type Parameter = (typeof PARAMETERS)[number];

export interface ModelSpec {
  /** Exact name at the provider. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly price: PriceCard;
  /** Most tokens of input and output together. */
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  readonly capabilities: readonly Capability[];
  /** Parameters that this model ignores or refuses. */
  readonly unsupportedParameters: readonly Parameter[];
  /** Most input tokens one image may be billed for. Null when the model reads no images. */
  readonly imageTokensMax: number | null;
  /** 0 to 1, the operator's own judgement. */
  readonly quality: number;
  /** Expected time to the complete answer, used until real answers have been measured. */
  readonly typicalLatencyMs: number;
  /** Expected speed, used until real answers have been measured. */
  readonly typicalTokensPerSecond: number;
}

export interface ProviderSpec {
  readonly key: ProviderKey;
  readonly displayName: string;
  readonly kind: ProviderKind;
  /** Rolling limit over 60 seconds, for all replicas together. */
  readonly requestsPerMinute: number;
  readonly specialties: readonly Category[];
  readonly models: readonly ModelSpec[];
}

/** All providers in the order of the file: ties in ranking keep this order. */
export interface Registry {
  /** Names the price list, so that any bill can be recomputed. */
  readonly priceListVersion: string;
  readonly providers: readonly ProviderSpec[];
}

/** How many providers that left the registry are remembered by a replica that runs on. */
const FORMER_PROVIDERS_MAX = 1_000;

/**
 * The providers that a replica knows once it has adopted a registry: that one's, in its order, then those that it knew before, for
 * requests that go on with them. Of those the ones that left last are remembered.
 */
export function knownWith(registry: Registry, before: Iterable<ProviderKey>): readonly ProviderKey[] {
  const own = new Set(registry.providers.map(({ key }) => key));
  const former = Array.from(before).filter((key) => !own.has(key));
  return [...own, ...former.slice(0, FORMER_PROVIDERS_MAX)];
}

/** Finds a provider by its key. Undefined when there is none. */
export function findProvider(registry: Registry, key: string): ProviderSpec | undefined {
  return registry.providers.find((provider) => provider.key === key);
}
