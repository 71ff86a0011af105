import { isIP } from 'node:net';
import { AMOUNT_MAX, PICO_PER_USD, type PicoUsd, parseUsd, picoUsd } from './core/money.ts';
import { ACCESS_BOUNDS, parseAdminKey, parseOrigins } from './settings/access.ts';
import { decimalNumber, inRange, oneOf, path, wholeNumber } from './settings/bounds.ts';
import { CIDRS_MAX, parseCidrs } from './settings/cidr.ts';
import { optional, type Setting, withDefault } from './settings/setting.ts';
import { TELEMETRY_SETTINGS } from './settings/telemetry.ts';

const SECRET_CHARS_MAX = 4_096;
const HOST_CHARS_MAX = 253;
const SLICE_MAX = picoUsd(1_000n * PICO_PER_USD);
const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

const CONTENT_DAYS_MAX = 365;

const STORES = ['postgres', 'embedded', 'memory'] as const;
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every variable this service reads by itself; the registry may name more keys and base URLs. */
export const SETTINGS = {
  port: withDefault('4000', {
    ...wholeNumber({ min: 0, max: 65_535 }),
    name: 'PORT',
    meaning: 'The TCP port to listen on; 0 takes any free one.',
    unit: 'TCP port',
  }),
  host: withDefault('127.0.0.1', {
    name: 'HOST',
    meaning: 'The address to listen on. On anything but a loopback address callers need keys: see `AUTH`.',
    bounds: 'an IP address or a host name, without a port',
    parse: parseHost,
  }),
  databaseUrl: optional({
    name: 'DATABASE_URL',
    meaning: 'The PostgreSQL 18 database of the store `postgres`.',
    bounds: 'a URL that begins with postgres:// or postgresql://',
    isSecret: true,
    parse: (text) => (/^postgres(ql)?:\/\/\S+$/.test(text) ? text : null),
  }),
  store: optional({
    ...oneOf(STORES),
    name: 'STORE',
    meaning: 'Where everything is kept. Unset: `postgres` when `DATABASE_URL` is set, otherwise `embedded`.',
  }),
  storeFallback: optional({
    ...oneOf(['memory']),
    name: 'STORE_FALLBACK',
    meaning: 'What to use while the store cannot be reached. Unset: the service waits for it and is not ready.',
  }),
  dataDir: withDefault('.switchyard', {
    ...path('a folder'),
    name: 'DATA_DIR',
    meaning:
      'Where each replica keeps its journal, and the store `embedded` its files. Put it on a disk that outlives the process.',
  }),
  storeTimeout: withDefault('250', {
    ...wholeNumber({ min: 50, max: 60_000 }),
    name: 'STORE_TIMEOUT_MS',
    meaning: 'The longest wait for one act on PostgreSQL; a read may take four times as long.',
    unit: 'milliseconds',
  }),
  outageSlice: withDefault('0', {
    name: 'OUTAGE_SLICE_USD',
    meaning:
      'The most that each replica reserves for each active account, to serve it for a minute while PostgreSQL is away. 0: nothing, and everything is refused meanwhile.',
    unit: 'US dollars',
    bounds: 'a decimal number from 0 to 1000 with at most 12 digits after the point',
    parse: (text) => parseAmount(text, SLICE_MAX),
  }),
  registryPath: optional({
    ...path('a file'),
    name: 'SWITCHYARD_CONFIG',
    meaning: 'The registry of providers, YAML or JSON. Unset: `src/registry/default.yaml`.',
  }),
  openaiApiKey: apiKey('OPENAI_API_KEY', 'Makes the provider `openai` real; its mock stands in without it.'),
  geminiApiKey: apiKey('GEMINI_API_KEY', 'Makes the provider `google` real; its mock stands in without it.'),
  anthropicApiKey: apiKey('ANTHROPIC_API_KEY', 'Makes the provider `anthropic` real; its mock stands in without it.'),
  openaiBaseUrl: baseUrl('OPENAI_BASE_URL', 'Where `openai` is called instead of at its own address.'),
  geminiBaseUrl: baseUrl('GEMINI_BASE_URL', 'Where `google` is called instead of at its own address.'),
  anthropicBaseUrl: baseUrl('ANTHROPIC_BASE_URL', 'Where `anthropic` is called instead of at its own address.'),
  allowPrivateUpstreams: optional({
    name: 'ALLOW_PRIVATE_UPSTREAMS',
    meaning:
      'The addresses outside of the public internet at which providers may be called. Loopback needs no mention while `AUTH` is `off`.',
    bounds: `at most ${CIDRS_MAX} blocks of addresses with commas between them, each with its prefix length, such as 10.1.0.0/16,fd12:3456::/32`,
    parse: parseCidrs,
  }),
  mockSeed: withDefault('42', {
    ...wholeNumber({ min: 0, max: 4_294_967_295 }),
    name: 'MOCK_SEED',
    meaning: 'Seeds the chance by which mocks fail; the same seed gives the same failures.',
    unit: 'seed',
  }),
  mockFailureRate: withDefault('0.1', {
    ...decimalNumber({ min: 0, max: 1 }),
    name: 'MOCK_FAILURE_RATE',
    meaning: 'The share of attempts that a mock fails.',
    unit: 'share',
  }),
  mockLatencyScale: withDefault('1', {
    ...decimalNumber({ min: 0, max: 100 }),
    name: 'MOCK_LATENCY_SCALE',
    meaning: 'Multiplies the latency of mocks; 0 lets them answer at once.',
    unit: 'factor',
  }),
  budgetDefault: withDefault('1.00', {
    name: 'BUDGET_DEFAULT_USD',
    meaning: 'What each user may spend unless a budget of their own is set.',
    unit: 'US dollars',
    bounds: 'a decimal number from 0 to 1000000 with at most 12 digits after the point',
    parse: (text) => parseAmount(text, AMOUNT_MAX),
  }),
  logRetentionDays: withDefault('90', {
    ...wholeNumber({ min: 1, max: 3_650 }),
    name: 'LOG_RETENTION_DAYS',
    meaning:
      'How long requests are kept at least. Budgets, the ledger, audit lines and changes of breakers are kept for good.',
    unit: 'days',
  }),
  recordContent: withDefault('off', {
    name: 'RECORD_CONTENT',
    meaning:
      'How long prompts and answers are kept, for whoever has the scope `content:read`; never longer than `LOG_RETENTION_DAYS`. `off`: they are not.',
    bounds: `\`off\`, or a number of days from 1d to ${CONTENT_DAYS_MAX}d`,
    parse: parseContentDays,
  }),
  persistedDocuments: optional({
    ...path('a file'),
    name: 'PERSISTED_DOCUMENTS',
    meaning: 'GraphQL documents that are run by their ids, as JSON: `{"id": "document"}`. Unset: none.',
  }),
  persistedOnly: withDefault('no', {
    ...oneOf(['yes', 'no']),
    name: 'PERSISTED_ONLY',
    meaning: '`yes`: over GraphQL nothing but those documents is run, except for callers with the scope `admin`.',
  }),
  simulations: withDefault('auto', {
    ...oneOf(['on', 'off', 'auto']),
    name: 'SIMULATIONS',
    meaning: 'Whether failures may be simulated; `auto` allows it while all providers are mocks.',
  }),
  auth: optional({
    ...oneOf(['off', 'keys']),
    name: 'AUTH',
    meaning:
      'How callers prove who they are: `keys` asks everybody for an API key, `off` believes everybody and is allowed on a loopback `HOST` only. Unset: `off` on a loopback `HOST`, `keys` on any other.',
  }),
  adminKey: optional({
    name: 'ADMIN_KEY',
    meaning: 'The credential of the operator while `AUTH` is `keys`: it may do everything, and makes the first keys.',
    bounds: `at least ${ACCESS_BOUNDS.adminKeyCharsMin} printable ASCII characters without quotes or white space, and no short text again and again: \`openssl rand -hex 32\` makes a good one`,
    isSecret: true,
    parse: parseAdminKey,
  }),
  graphiql: withDefault('auto', {
    ...oneOf(['on', 'off', 'auto']),
    name: 'GRAPHIQL',
    meaning: 'Whether browsers are given GraphiQL at `/graphql`; `auto` gives it while `AUTH` is `off`.',
  }),
  allowedOrigins: optional({
    name: 'ALLOWED_ORIGINS',
    meaning:
      'Web pages of these origins may call `/graphql` and `/v1` from browsers, and while `AUTH` is `off` the service answers to their hosts. Unset: only pages of its own host.',
    bounds: `at most ${ACCESS_BOUNDS.originsMax} origins such as https://app.example.com, separated by commas`,
    parse: parseOrigins,
  }),
  socketsPerKey: withDefault('100', {
    ...wholeNumber({ min: 1, max: 5_000 }),
    name: 'SOCKETS_PER_KEY',
    meaning: 'How many WebSockets one API key, with those that it was rotated to, may hold at one replica.',
    unit: 'connections',
  }),
  inFlightMax: withDefault('1000', {
    ...wholeNumber({ min: 1, max: 100_000 }),
    name: 'IN_FLIGHT_MAX',
    meaning: 'How many operations this replica runs at once. Queries and subscriptions are refused from half of it on.',
    unit: 'operations',
  }),
  drainWaitMs: withDefault('5000', {
    ...wholeNumber({ min: 0, max: 60_000 }),
    name: 'DRAIN_WAIT_MS',
    meaning:
      'How long a replica that was told to stop goes on serving while it is not ready, so that load balancers notice.',
    unit: 'milliseconds',
  }),
  logLevel: withDefault('info', { ...oneOf(LOG_LEVELS), name: 'LOG_LEVEL', meaning: 'The least severe log lines.' }),
  ...TELEMETRY_SETTINGS,
} as const satisfies Record<string, Setting<unknown>>;

/** A provider's key, under whatever name the registry gives it. */
export function apiKey(name: string, meaning: string) {
  const bounds = 'printable ASCII without quotes or white space';
  return optional({ name, meaning, bounds, isSecret: true, parse: parseSecret });
}

/** A provider's address, under whatever name the registry gives it. */
export function baseUrl(name: string, meaning: string) {
  const bounds = 'an http:// or https:// URL without credentials, query or fragment';
  return optional({ name, meaning, bounds, parse: parseBaseUrl });
}

/** Reads the address of an API, without a slash at its end. Null when it is anything else. */
export function parseBaseUrl(text: string): string | null {
  const isBare = /^https?:\/\/[^\s?#@]+$/.test(text);
  return isBare && URL.canParse(text) ? text.replace(/\/+$/, '') : null;
}

function parseHost(text: string): string | null {
  if (isIP(text) !== 0) return text;
  const isName = text.length <= HOST_CHARS_MAX && HOST_NAME.test(text) && !/^[\d.]+$/.test(text);
  return isName ? text : null;
}

function parseAmount(text: string, most: PicoUsd): PicoUsd | null {
  const amount = parseUsd(text);
  return amount !== null && amount >= 0n && amount <= most ? amount : null;
}

/** Zero for `off`. */
function parseContentDays(text: string): number | null {
  const days = text === 'off' ? '0' : (/^([1-9]\d{0,2})d$/.exec(text)?.[1] ?? null);
  return days === null ? null : inRange(Number(days), { min: 0, max: CONTENT_DAYS_MAX });
}

function parseSecret(text: string): string | null {
  return text.length <= SECRET_CHARS_MAX && /^[\x21\x23-\x26\x28-\x7e]+$/.test(text) ? text : null;
}
