import type { Config } from '../config.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Registry } from '../core/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ProviderPort } from '../ports/provider.ts';
import { makeMock } from '../providers/mock.ts';
import { makePythonRandom } from '../providers/python-random.ts';
import { makeSdkProvider } from '../providers/sdk.ts';
import type { Endpoint } from '../registry/endpoints.ts';
import { makeAddressGate } from './address-ranges.ts';
import { openUpstream, type Upstream } from './upstream.ts';

/** One adapter for each provider of the registry. Disposing of them closes their connections. */
export interface Providers extends AsyncDisposable {
  readonly ports: ReadonlyMap<ProviderKey, ProviderPort>;
}

/** All mocks draw from one generator, so that a sequential run repeats the seed's; all real providers share the way out. */
export async function makeProviders(of: {
  readonly registry: Registry;
  readonly endpoints: readonly Endpoint[];
  readonly config: Pick<Config, 'auth' | 'mock' | 'privateUpstreams'>;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<Providers> {
  const { auth, mock, privateUpstreams: allowed } = of.config;
  const chance = makePythonRandom(BigInt(mock.seed));
  // Who may call this service without a key has a network of their own in mind: a model on the same machine is part of it.
  const gate = makeAddressGate({ allowed, mayUseLoopback: auth === 'off' });
  let upstream: Promise<Upstream> | null = null;
  const ports = of.endpoints.map(async (endpoint): Promise<readonly [ProviderKey, ProviderPort]> => {
    const kind = of.registry.providers.find((provider) => provider.key === endpoint.key)?.kind;
    if (endpoint.kind === 'mock' || kind === undefined || kind === 'mock') {
      return [endpoint.key, makeMock({ ...mock, key: endpoint.key, chance, clock: of.clock })];
    }
    upstream ??= openUpstream({ gate, log: of.log });
    const { fetch } = await upstream;
    return [endpoint.key, await makeSdkProvider({ ...endpoint, kind, fetch, clock: of.clock })];
  });
  return {
    ports: new Map(await Promise.all(ports)),
    [Symbol.asyncDispose]: async () => (await upstream)?.[Symbol.asyncDispose](),
  };
}
