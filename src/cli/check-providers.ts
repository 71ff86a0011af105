import { FREE_OF_CHARGE } from '../core/money.ts';
import type { ProviderSpec } from '../core/registry.ts';
import { type Listed, listModels } from '../providers/listed-models.ts';
import type { Endpoint } from '../registry/endpoints.ts';
import { DEMONSTRATION_PRICES } from '../registry/read.ts';
import { makeLog } from '../telemetry/log.ts';
import { makeAddressGate } from '../wiring/address-ranges.ts';
import type { Setup } from '../wiring/read-setup.ts';
import { openUpstream } from '../wiring/upstream.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** What is refused is told as a finding. */
const QUIET = makeLog({ level: 'silent', stream: { write: () => undefined } });

/** Asks each real provider for its models, with the key of chats: that costs nothing. */
export async function checkProviders(setup: Setup): Promise<readonly Finding[]> {
  const { auth, privateUpstreams: allowed } = setup.config;
  const gate = makeAddressGate({ allowed, mayUseLoopback: auth === 'off' });
  await using upstream = await openUpstream({ gate, log: QUIET });
  const findings = setup.endpoints.map(async (endpoint): Promise<readonly Finding[]> => {
    const spec = setup.registry.providers.find(({ key }) => key === endpoint.key);
    if (endpoint.kind === 'mock' || spec === undefined || spec.kind === 'mock') return [mockFinding(endpoint)];
    const listed = await listModels({ ...endpoint, kind: spec.kind, fetch: upstream.fetch });
    return judge(listed, { spec, ...placeOf(setup, endpoint) });
  });
  return (await Promise.all(findings)).flat();
}

/** Whether bills will be right: every model has a price, for a registry without one is not valid, but whose is it? */
export function checkPrices({ registry, endpoints }: Pick<Setup, 'registry' | 'endpoints'>): readonly Finding[] {
  const real = endpoints.filter(({ kind }) => kind === 'real').map(({ key }) => key);
  const models = registry.providers.filter(({ key }) => real.includes(key)).flatMap((provider) => provider.models);
  const free = models
    .filter(({ price }) => price.input === FREE_OF_CHARGE && price.output === FREE_OF_CHARGE)
    .map(({ name }) => name);
  const version = registry.priceListVersion;
  if (real.length > 0 && version === DEMONSTRATION_PRICES) {
    return [
      warning(
        'prices',
        `price list ${version} has demonstration figures, but ${real.join(', ')} will send real bills`,
        'Copy the registry file, put in what the vendors charge you, and name it with SWITCHYARD_CONFIG.',
      ),
    ];
  }
  if (free.length > 0) {
    return [
      warning(
        'prices',
        `price list ${version} has no price for ${free.join(', ')}: budgets do not bound it`,
        'Give inputUsdPerMillion and outputUsdPerMillion in the registry, unless it really costs nothing.',
      ),
    ];
  }
  return [ok('prices', `price list ${version} has a price for every model`)];
}

interface Place {
  /** Where it was asked. */
  readonly where: string;
  /** What to change, in words: the variable, or the field of the registry. */
  readonly keyIn: string;
  readonly addressIn: string;
}

function placeOf({ connections }: Setup, endpoint: Extract<Endpoint, { kind: 'real' }>): Place {
  const connection = connections.find(({ key }) => key === endpoint.key);
  return {
    where: endpoint.baseUrl ?? "the vendor's own address",
    keyIn: connection?.apiKeyEnv ?? 'apiKeyEnv of the registry',
    addressIn: connection?.baseUrlEnv ?? 'baseUrl of the registry',
  };
}

function mockFinding(endpoint: Endpoint): Finding {
  const variable = endpoint.kind === 'mock' ? endpoint.missingVariable : null;
  const why = variable === null ? '' : `, for ${variable} is unset`;
  return ok('provider', `${endpoint.key}: a mock answers${why}`);
}

function judge(listed: Listed, of: Place & { readonly spec: ProviderSpec }): readonly Finding[] {
  const { where, keyIn, addressIn } = of;
  const name = of.spec.key;
  switch (listed.kind) {
    case 'listed':
      return judgeModels(listed.models, of);
    case 'keyRefused':
      return [
        fault(
          'provider',
          `${name}: the key of ${keyIn} is refused (HTTP ${listed.httpStatus})`,
          `Put a key that works into ${keyIn}; the vendor's console shows which do.`,
        ),
      ];
    case 'notTold':
      return [
        warning(
          'provider',
          `${name}: its key could not be tried, as ${where} tells no models (HTTP ${listed.httpStatus})`,
          `Nothing, if the key is for chats only or the server has no list; else mend ${keyIn} or ${addressIn}, the address before /models.`,
        ),
      ];
    case 'misunderstood':
      return [
        fault(
          'provider',
          `${name}: ${where} does not understand what it is asked (HTTP ${listed.httpStatus})`,
          `Mend ${addressIn}: it is the address before /models, often ending in /v1.`,
        ),
      ];
    case 'throttled':
      return [
        warning(
          'provider',
          `${name}: asked too often for now (HTTP 429), so its key is not tried`,
          'Check again later.',
        ),
      ];
    case 'broken':
      return [
        warning('provider', `${name}: its server fails (HTTP ${listed.httpStatus})`, `See the vendor's status page.`),
      ];
    case 'late':
      return [
        fault('provider', `${name}: no answer from ${where} within ${listed.afterMs / 1000} s`, reach(addressIn)),
      ];
    case 'unreachable':
      return [unreached(listed, of)];
    default:
      return listed satisfies never;
  }
}

function judgeModels(
  models: readonly string[] | null,
  { spec, where }: Place & { readonly spec: ProviderSpec },
): readonly Finding[] {
  const unknown = models === null ? [] : spec.models.filter(({ name }) => !models.includes(name));
  if (unknown.length === 0) return [ok('provider', `${spec.key}: ${where} takes the key`)];
  const names = unknown.map(({ name }) => name).join(', ');
  return [
    warning(
      'provider',
      `${spec.key}: ${where} takes the key, but does not list ${names}`,
      'Mend `name` of the model in the registry, unless the vendor serves it all the same.',
    ),
  ];
}

function unreached(
  { code, why }: Extract<Listed, { kind: 'unreachable' }>,
  { spec, where, addressIn }: Place & { readonly spec: ProviderSpec },
): Finding {
  const mends: Readonly<Record<string, string>> = {
    ADDRESS_REFUSED: 'List its block in ALLOW_PRIVATE_UPSTREAMS, as narrow as can be, or mend the address.',
    ENOTFOUND: `There is no such host: mend ${addressIn}.`,
    ECONNREFUSED: `Nothing listens there: start the server, or mend ${addressIn}.`,
  };
  return fault('provider', `${spec.key}: ${where} cannot be reached: ${why}`, mends[code ?? ''] ?? reach(addressIn));
}

function reach(addressIn: string): string {
  return `See that this machine reaches it without a proxy, or mend ${addressIn}.`;
}
