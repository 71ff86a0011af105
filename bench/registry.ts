/** Providers on one upstream: several, so that no rolling limit is reached in a run. */
const PROVIDERS = 8;

/** A registry file whose every provider is the upstream at `url`. */
export function registryFor(url: string): object {
  return {
    priceListVersion: 'bench-1',
    providers: Array.from({ length: PROVIDERS }, (_none, index) => ({
      key: `bench-${index + 1}`,
      displayName: `Bench ${index + 1}`,
      kind: 'openaiCompatible',
      baseUrl: `${url}/v1`,
      requestsPerMinute: 10_000,
      specialties: [],
      models: [
        {
          name: 'bench-1',
          aliases: [],
          inputUsdPerMillion: '0.000001',
          outputUsdPerMillion: '0.000001',
          contextWindow: 100_000,
          maxOutputTokens: 1_000,
          capabilities: ['streaming'],
          quality: 0.9,
          typicalLatencyMs: 10,
          typicalTokensPerSecond: 100,
        },
      ],
    })),
  };
}
