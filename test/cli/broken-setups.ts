/** What stands around a broken configuration: servers, databases and files, by name. */
export interface Place {
  readonly url: (
    server: 'refusing' | 'chatting' | 'empty' | 'strange' | 'failing' | 'listing' | 'blank' | 'old' | 'nothing',
  ) => string;
  readonly registry: (text: string) => Promise<string>;
  readonly port: number;
  readonly gatewayPort: number;
}

const REGISTRY = `priceListVersion: mine
providers:
  - key: a
    displayName: A
    kind: openaiCompatible
    apiKeyEnv: A_KEY
    baseUrl: http://127.0.0.1:9/v1
    requestsPerMinute: 10
    specialties: []
    models:
      - { name: m, inputUsdPerMillion: 1, outputUsdPerMillion: 1, contextWindow: 1000, maxOutputTokens: 100, capabilities: [streaming], quality: 0.5, typicalLatencyMs: 100, typicalTokensPerSecond: 10 }
`;

export type Env = Readonly<Record<string, string>>;

/** Broken in one way each: what is set, what the check says of it, what to do, and how it ends. */
export const BROKEN: readonly (readonly [
  name: string,
  set: (at: Place) => Env | Promise<Env>,
  told: RegExp,
  code: number,
])[] = [
  ['a port that is none', () => ({ PORT: '70000' }), /PORT is "70000", but must be .*: change it, or unset it/, 78],
  ['a host with a port', () => ({ HOST: 'localhost:4000' }), /HOST .*without a port/, 78],
  ['a store that there is not', () => ({ STORE: 'redis' }), /STORE is "redis", but must be `postgres` or/, 78],
  ['PostgreSQL without its address', () => ({ STORE: 'postgres' }), /DATABASE_URL is not set.*: set it, or choose/, 78],
  ['an address of another database', () => ({ DATABASE_URL: 'mysql://x' }), /DATABASE_URL .*postgres:\/\//, 78],
  ['everybody let in from anywhere', () => ({ HOST: '0.0.0.0', AUTH: 'off' }), /AUTH is off.*Unset AUTH/, 78],
  ['a weak key of the operator', () => ({ ADMIN_KEY: 'secret' }), /ADMIN_KEY.*openssl rand -hex 32/, 78],
  [
    'a key with a space in it',
    () => ({ OPENAI_API_KEY: 'sk-one two' }),
    /OPENAI_API_KEY \(its value is not shown\)/,
    78,
  ],
  ['an amount that is none', () => ({ BUDGET_DEFAULT_USD: '$5' }), /BUDGET_DEFAULT_USD is "\$5"/, 78],
  [
    'a registry that is not there',
    () => ({ SWITCHYARD_CONFIG: '/nowhere.yaml' }),
    /nowhere\.yaml:1:1 does not exist: check/,
    78,
  ],
  [
    'a slip in a field of the registry',
    async (at) => ({ SWITCHYARD_CONFIG: await at.registry(REGISTRY.replace('openaiCompatible', 'openaiCompatble')) }),
    /registry\.yaml:5:\d+ .*openaiCompatble.*did you mean openaiCompatible/,
    78,
  ],
  [
    'a model without a price',
    async (at) => ({ SWITCHYARD_CONFIG: await at.registry(REGISTRY.replace('inputUsdPerMillion: 1, ', '')) }),
    /registry\.yaml:11:\d+ .*inputUsdPerMillion is missing/,
    78,
  ],
  [
    'documents that are not there',
    () => ({ PERSISTED_DOCUMENTS: '/nowhere.json' }),
    /nowhere\.json does not exist: check the path/,
    78,
  ],
  [
    'a database that nobody serves',
    (at) => ({ DATABASE_URL: at.url('nothing') }),
    /fault +database +PostgreSQL at 127\.0\.0\.1:\d+ cannot be used.*\n +-> Nothing listens there: start PostgreSQL/,
    1,
  ],
  [
    'a database that there is not',
    (at) => ({ DATABASE_URL: at.url('blank').replace(/\/\w+(\?|$)/, '/nowhere$1') }),
    /fault +database .*does not exist.*\n +-> .*createdb/,
    1,
  ],
  [
    'a database without our tables',
    (at) => ({ DATABASE_URL: at.url('blank') }),
    /lacks migrations: 0000_tables, .*more\n +-> Run `switchyard migrate`/,
    1,
  ],
  [
    'a database of the version before',
    (at) => ({ DATABASE_URL: at.url('old') }),
    /lacks migrations: \d{4}_\w+\n +-> Run `switchyard migrate`/,
    1,
  ],
  [
    'a key that its provider refuses',
    (at) => ({ OPENAI_API_KEY: 'sk-refused', OPENAI_BASE_URL: at.url('refusing') }),
    /fault +provider +openai: the key of OPENAI_API_KEY is refused \(HTTP 401\)\n +-> Put a key that works/,
    1,
  ],
  [
    'a provider that does not understand',
    (at) => ({ ANTHROPIC_API_KEY: 'sk-ant', ANTHROPIC_BASE_URL: at.url('strange') }),
    /fault +provider +anthropic: http.* does not understand .*422\)\n +-> Mend ANTHROPIC_BASE_URL/,
    1,
  ],
  [
    'a provider that nobody serves',
    (at) => ({ GEMINI_API_KEY: 'AIza', GEMINI_BASE_URL: at.url('nothing').replace('postgres', 'http') }),
    /fault +provider +google: .* cannot be reached.*\n +-> Nothing listens there: .*GEMINI_BASE_URL/,
    1,
  ],
  [
    'a provider in a private network that is not listed',
    (at) => ({ OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: at.url('listing'), AUTH: 'keys' }),
    /fault +provider +openai: .*\(loopback\).*\n +-> List its block in ALLOW_PRIVATE_UPSTREAMS/,
    1,
  ],
  [
    'a folder that cannot be made',
    () => ({ STORE: 'embedded', DATA_DIR: '/dev/null/x' }),
    /fault +disk +DATA_DIR .*\n +-> /,
    1,
  ],
  [
    'a port in use',
    (at) => ({ PORT: String(at.port) }),
    /fault +port .*in use by another program\n +-> .*another PORT/,
    1,
  ],
  [
    'an address of another machine',
    () => ({ HOST: '192.0.2.1', AUTH: 'keys' }),
    /fault +port .*no address of this machine/,
    1,
  ],
];

/** Not broken, but what one should know. */
export const DOUBTFUL: readonly (readonly [name: string, set: (at: Place) => Env | Promise<Env>, told: RegExp])[] = [
  [
    'demonstration prices for real bills, and a model that the provider does not list',
    (at) => ({ OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: at.url('listing') }),
    /warning +provider +openai: .*does not list gpt-5\.1\n[\s\S]*warning +prices .*demonstration figures/,
  ],
  [
    'an address of a provider at which there is no list of models',
    (at) => ({ ANTHROPIC_API_KEY: 'sk-ant', ANTHROPIC_BASE_URL: at.url('empty') }),
    /warning +provider +anthropic: its key could not be tried.*404\)\n +-> .*mend ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL/,
  ],
  [
    'a key that is for chats only',
    (at) => ({ OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: at.url('chatting') }),
    /warning +provider +openai: its key could not be tried.*403\)\n +-> Nothing, if the key is for chats only/,
  ],
  [
    'a port that a gateway has',
    (at) => ({ PORT: String(at.gatewayPort) }),
    /warning +port .*a gateway runs there already\n +-> .*another PORT/,
  ],
  [
    'a provider that fails',
    (at) => ({ OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: at.url('failing') }),
    /warning +provider +openai: its server fails \(HTTP 503\)/,
  ],
  ['nobody who may make keys', () => ({ AUTH: 'keys' }), /warning +access +ADMIN_KEY is not set/],
  ['nothing that survives', () => ({}), /warning +database +STORE=memory/],
];
