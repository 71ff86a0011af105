import { writeFile } from 'node:fs/promises';
import { BASE_PATHS, type Wire } from './upstream/wire.ts';

/** One provider of an experiment: every one of them is the simulator. */
export interface ArenaProvider {
  readonly key: string;
  readonly kind: Wire;
  readonly requestsPerMinute: number;
  /** A list price in whole micro-dollars per million tokens is the same number of pico-dollars per token. */
  readonly inputPicoPerToken: bigint;
  readonly outputPicoPerToken: bigint;
  readonly outputTokensMax: number;
  /** Whether a 5xx may have been billed. */
  readonly areErrorsBilled: boolean;
}

/** The variable by which the registry finds the simulator's key. */
export const KEY_VARIABLE = 'ARENA_API_KEY';

const CONTEXT_WINDOW = 400_000;

export function makeProvider(key: string, changes: Partial<ArenaProvider> = {}): ArenaProvider {
  return {
    key,
    kind: 'openaiCompatible',
    requestsPerMinute: 10_000,
    inputPicoPerToken: 2_000_000n,
    outputPicoPerToken: 8_000_000n,
    outputTokensMax: 10_000,
    areErrorsBilled: true,
    ...changes,
  };
}

/** Writes the registry file that makes replicas call the simulator on `port`. */
export async function writeRegistry(of: {
  readonly path: string;
  readonly port: number;
  readonly providers: readonly ArenaProvider[];
}): Promise<void> {
  const providers = of.providers.map((provider) => ({
    key: provider.key,
    displayName: provider.key,
    kind: provider.kind,
    apiKeyEnv: KEY_VARIABLE,
    baseUrl: `http://127.0.0.1:${of.port}/${provider.key}${BASE_PATHS[provider.kind]}`,
    areErrorsBilled: provider.areErrorsBilled,
    requestsPerMinute: provider.requestsPerMinute,
    models: [
      {
        name: modelOfProvider(provider.key),
        inputUsdPerMillion: usdOf(provider.inputPicoPerToken),
        outputUsdPerMillion: usdOf(provider.outputPicoPerToken),
        contextWindow: CONTEXT_WINDOW,
        maxOutputTokens: provider.outputTokensMax,
        capabilities: ['streaming'],
        quality: 0.9,
        typicalLatencyMs: 100,
        typicalTokensPerSecond: 100,
      },
    ],
  }));
  await writeFile(of.path, JSON.stringify({ priceListVersion: 'arena-1', providers }));
}

/** Each provider has one model, so that either names the other. */
function modelOfProvider(key: string): string {
  return `${key}-1`;
}

export function providerOfModel(name: string): string {
  return name.replace(/-1$/, '');
}

/** Pico-dollars per token are micro-dollars per million tokens. */
function usdOf(picoPerToken: bigint): string {
  const micro = picoPerToken.toString().padStart(7, '0');
  return `${micro.slice(0, -6)}.${micro.slice(-6)}`;
}
