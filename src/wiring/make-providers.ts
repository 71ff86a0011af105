import type { Config } from '../config.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Registry } from '../core/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProviderPort } from '../ports/provider.ts';
import { makeMock } from '../providers/mock.ts';
import { makePythonRandom } from '../providers/python-random.ts';
import { makeSdkProvider } from '../providers/sdk.ts';
import type { Endpoint } from '../registry/endpoints.ts';
import { openUpstream, type Upstream } from './upstream.ts';

/** One adapter for each provider of the registry. Disposing of them closes their connections. */
export interface Providers extends AsyncDisposable {
  readonly ports: ReadonlyMap<ProviderKey, ProviderPort>;
}

/** All mocks draw from one generator, so that a sequential run repeats the seed's; all real providers share the way out. */
export async function makeProviders(of: {
  readonly registry: Registry;
  readonly endpoints: readonly Endpoint[];
  readonly mock: Config['mock'];
  readonly clock: Clock;
}): Promise<Providers> {
  const chance = makePythonRandom(BigInt(of.mock.seed));
  let upstream: Promise<Upstream> | null = null;
  const ports = of.endpoints.map(async (endpoint): Promise<readonly [ProviderKey, ProviderPort]> => {
    const kind = of.registry.providers.find((provider) => provider.key === endpoint.key)?.kind;
    if (endpoint.kind === 'mock' || kind === undefined || kind === 'mock') {
      return [endpoint.key, makeMock({ ...of.mock, key: endpoint.key, chance, clock: of.clock })];
    }
    upstream ??= openUpstream();
    const { fetch } = await upstream;
    return [endpoint.key, await makeSdkProvider({ ...endpoint, kind, fetch, clock: of.clock })];
  });
  return {
    ports: new Map(await Promise.all(ports)),
    [Symbol.asyncDispose]: async () => (await upstream)?.[Symbol.asyncDispose](),
  };
}
