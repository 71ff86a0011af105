import type { Registry } from '../../src/core/registry.ts';
import type { RegistryFault, RegistryResult } from '../../src/registry/parse.ts';

/** A registry of two providers. Tests point at its lines by number. */
export const YAML = `priceListVersion: test-1
providers:
  - key: first
    displayName: First
    kind: openai
    apiKeyEnv: FIRST_KEY
    requestsPerMinute: 60
    specialties: []
    models:
      - name: big
        aliases: [fast]
        inputUsdPerMillion: 2.5
        outputUsdPerMillion: "10.000001"
        contextWindow: 1000
        maxOutputTokens: 100
        capabilities: [streaming]
        quality: 0.5
        typicalLatencyMs: 200
        typicalTokensPerSecond: 50
  - key: second
    displayName: Second
    kind: mock
    areErrorsBilled: false
    requestsPerMinute: 10000
    models:
      - name: eye
        aliases: [fast]
        inputUsdPerMillion: 0
        outputUsdPerMillion: 1
        cachedInputUsdPerMillion: 0.25
        reasoningUsdPerMillion: 3
        contextWindow: 100
        maxOutputTokens: 100
        capabilities: [vision]
        unsupportedParameters: [topP]
        imageTokensMax: 1600
        quality: 1
        typicalLatencyMs: 1
        typicalTokensPerSecond: 0.5
`;

/** The file above with one stretch replaced; it is an error when the stretch is not there. */
export function edited(...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`nothing to replace: ${from}`);
    return text.replace(from, to);
  }, YAML);
}

export function faultsOf(result: RegistryResult): readonly RegistryFault[] {
  return result.kind === 'invalid' ? result.faults : [];
}

/** As a test compares it: place, path, message. */
export function print({ line, column, path, message }: RegistryFault): string {
  return `${line}:${column} ${path} ${message}`;
}

export function registryOf(result: RegistryResult): Registry {
  if (result.kind === 'invalid') throw new Error(result.faults.map(print).join('\n'));
  return result.registry;
}
