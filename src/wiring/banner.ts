import type { App } from '../app.ts';
import type { Config } from '../config.ts';
import type { Endpoint } from '../registry/endpoints.ts';
import { DEMONSTRATION_PRICES } from '../registry/read.ts';

/** What a person sees when the service has started: who is real, where state is kept, and what to try. */
export function bannerOf(app: App, config: Config, endpoints: readonly Endpoint[]): string {
  const base = addressOf(app, config);
  const lines = [
    '',
    `Switchyard ${app.info.version} is running at ${base}`,
    '',
    '  Providers',
    ...endpoints.map((endpoint) => `    ${endpoint.key.padEnd(12)} ${describe(endpoint)}`),
    '',
    `  Store        ${app.store.where}`,
    ...(app.store.warning === null ? [] : [`  WARNING      ${app.store.warning}`]),
    ...pricesOf(app, endpoints),
    ...contentOf(app.info.contentKeptDays),
    `  Auth         ${AUTH_WORDS[config.auth]}`,
    ...keylessOf(config),
    `  Simulations  ${app.info.areSimulationsEnabled ? 'on' : 'off'}`,
    '',
    '  Try',
    `    curl -s ${base}/graphql -H 'content-type: application/json' \\`,
    ...(config.auth === 'keys' ? ['      -H "authorization: Bearer $ADMIN_KEY" \\'] : []),
    `      -d '${EXAMPLE}'`,
    ...(config.isGraphiqlOn ? [`    open ${base}/graphql`] : []),
    `    ${keyAdvice(endpoints)}`,
    '',
  ];
  return lines.join('\n');
}

/** Where it can be reached from this machine. */
export function addressOf({ port }: Pick<App, 'port'>, { host }: Pick<Config, 'host'>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const AUTH_WORDS = {
  off: 'off: whoever reaches this address may do everything',
  keys: 'keys: callers need one (docs/security.md)',
} as const;

/** Nobody can come in to make the first key. */
function keylessOf({ auth, adminKey }: Config): readonly string[] {
  return auth === 'keys' && adminKey === null
    ? [
        '  WARNING      ADMIN_KEY is not set: without a key that may make keys, nobody can make any. Make one: openssl rand -hex 32',
      ]
    : [];
}

const EXAMPLE = JSON.stringify({
  query:
    'mutation { chat(input: {prompt: "Write a short poem about trains"}) { __typename ... on ChatSuccess { content cost { totalUsd } routing { summary } } ... on ApiError { code message } } }',
});

function describe(endpoint: Endpoint): string {
  if (endpoint.kind === 'real')
    return `real${endpoint.baseUrl === null ? '' : ` at ${new URL(endpoint.baseUrl).origin}`}`;
  return endpoint.missingVariable === null ? 'mock' : `mock (set ${endpoint.missingVariable} for the real one)`;
}

/** The figures of the default registry are for demonstration: nobody should pay by them without knowing. */
function pricesOf(app: App, endpoints: readonly Endpoint[]): readonly string[] {
  const isPaid = endpoints.some((endpoint) => endpoint.kind === 'real');
  return isPaid && app.registry.priceListVersion === DEMONSTRATION_PRICES
    ? ['  WARNING      prices are demonstration figures: set your own in a registry file (SWITCHYARD_CONFIG)']
    : [];
}

/** Nobody should find out later that what people wrote was kept. */
function contentOf(keptDays: number | null): readonly string[] {
  return keptDays === null ? [] : [`  WARNING      prompts and answers are kept (RECORD_CONTENT=${keptDays}d)`];
}

function keyAdvice(endpoints: readonly Endpoint[]): string {
  const missing = endpoints.find((endpoint) => endpoint.kind === 'mock' && endpoint.missingVariable !== null);
  const name =
    missing?.kind === 'mock' && missing.missingVariable !== null ? missing.missingVariable : 'OPENAI_API_KEY';
  return `echo '${name}=...' >> .env    # the real provider takes the place of its mock, without a restart`;
}
