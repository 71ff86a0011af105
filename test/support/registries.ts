import { providerKey } from '../../src/core/ids.ts';
import { parsePricePerMTok } from '../../src/core/money.ts';
import type { ModelSpec, ProviderSpec, Registry } from '../../src/core/registry.ts';

/** A price in US dollars per million tokens. */
export function usdPerMTok(text: string) {
  const price = parsePricePerMTok(text);
  if (price === null) throw new RangeError(`no price: ${text}`);
  return price;
}

export function makeModel(name: string, usd: string, changes: Partial<ModelSpec> = {}): ModelSpec {
  return {
    name,
    aliases: [],
    price: { input: usdPerMTok(usd), output: usdPerMTok('0'), cachedInput: null, reasoning: null },
    contextWindow: 400_000,
    maxOutputTokens: 10_000,
    capabilities: ['streaming', 'reasoning'],
    unsupportedParameters: [],
    imageTokensMax: null,
    quality: 0.9,
    typicalLatencyMs: 100,
    typicalTokensPerSecond: 50,
    ...changes,
  };
}

export function makeProvider(
  key: string,
  models: readonly ModelSpec[],
  changes: Partial<ProviderSpec> = {},
): ProviderSpec {
  return {
    key: providerKey(key),
    displayName: key,
    kind: 'mock',
    requestsPerMinute: 1_000,
    specialties: [],
    models,
    ...changes,
  };
}

export function makeRegistry(...providers: readonly ProviderSpec[]): Registry {
  return { priceListVersion: 'test-1', providers };
}

/** The seed's two providers as its mocks bill them: the prompt only. */
export const SEED_REGISTRY = makeRegistry(
  makeProvider('openai', [makeModel('gpt-5.1', '20', { quality: 0.95, typicalLatencyMs: 200 })], {
    requestsPerMinute: 100,
    specialties: ['code', 'analysis', 'writing'],
  }),
  makeProvider('google', [makeModel('gemini-pro', '15', { quality: 0.94, typicalLatencyMs: 250 })], {
    requestsPerMinute: 150,
    specialties: ['writing', 'analysis'],
  }),
);
