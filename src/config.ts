import type { PicoUsd } from './core/money.ts';
import type { TelemetryConfig } from './core/telemetry-config.ts';
import type { Cidr } from './settings/cidr.ts';
import { readSetting, type Setting, textOf } from './settings/setting.ts';
import { readTelemetry } from './settings/telemetry.ts';
import { type LOG_LEVELS, SETTINGS } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

type StoreChoice =
  | (Durable & { readonly kind: 'postgres'; readonly url: string })
  | (Durable & { readonly kind: 'embedded' })
  | { readonly kind: 'memory' };

interface Durable {
  /** Where this replica keeps its journal, and the embedded server its files. */
  readonly dataDir: string;
  /** The longest wait for one act, in milliseconds. */
  readonly timeoutMs: number;
  readonly fallback: 'memory' | null;
  /** The largest slice that is set aside for an account. Zero: none is. */
  readonly outageSlice: PicoUsd;
}

/** All that the environment says, parsed. Holds the database's password and the operator's key: do not log it. */
export interface Config {
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string;
  readonly store: StoreChoice;
  /** Null for the registry that comes with the service. */
  readonly registryPath: string | null;
  /** Where providers may be called outside of the public internet. */
  readonly privateUpstreams: readonly Cidr[];
  readonly mock: { readonly seed: number; readonly failureRate: number; readonly latencyScale: number };
  /** What a user may spend without a budget of their own. */
  readonly budgetDefault: PicoUsd;
  /** How many days the request log is kept at least. */
  readonly logRetentionDays: number;
  /** How many days prompts and answers are kept. Null: they are not. */
  readonly contentKeptDays: number | null;
  /** The file of documents that are run by their ids. Null: there are none. */
  readonly persistedPath: string | null;
  readonly isPersistedOnly: boolean;
  /** `auto`: on while all providers are mocks. */
  readonly simulations: 'on' | 'off' | 'auto';
  /** `off`: everybody may do everything. */
  readonly auth: 'off' | 'keys';
  /** The operator's own credential. Null: there is none. */
  readonly adminKey: string | null;
  readonly isGraphiqlOn: boolean;
  /** Origins whose pages may call from browsers, besides the service's own. */
  readonly allowedOrigins: readonly string[];
  /** WebSockets that one line of keys may hold here. */
  readonly socketsPerKey: number;
  /** Operations that one replica runs at once. */
  readonly inFlightMax: number;
  /** How long it serves on after SIGTERM. */
  readonly drainWaitMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly telemetry: TelemetryConfig;
  /** The text of a variable that the registry names, such as a provider's key. Null when it is unset. */
  readonly variable: (name: string) => string | null;
}

/** What is wrong with one variable, and how to mend it. */
export interface ConfigFault {
  readonly name: string;
  readonly message: string;
}

export type ConfigResult =
  | { readonly kind: 'valid'; readonly config: Config }
  /** The paths of files are told even so, so that their faults can be listed in the same breath. */
  | (Pick<Config, 'registryPath' | 'persistedPath'> & {
      readonly kind: 'invalid';
      readonly faults: readonly ConfigFault[];
    });

/** Reads the whole environment, once. All faults are told together. */
export function parseConfig(env: Environment): ConfigResult {
  const faults: ConfigFault[] = [];
  const read = <T, U>(setting: Setting<T, U>): T | U => {
    const { value, fault } = readSetting(setting, env[setting.name]);
    if (fault !== null) faults.push({ name: setting.name, message: fault });
    return value;
  };
  for (const setting of PROVIDER_SETTINGS) read(setting);
  const port = read(SETTINGS.port);
  const host = read(SETTINGS.host);
  const { graphiql, ...config } = {
    port,
    host,
    store: storeChoice({
      asked: read(SETTINGS.store),
      databaseUrl: read(SETTINGS.databaseUrl),
      dataDir: read(SETTINGS.dataDir),
      fallback: read(SETTINGS.storeFallback),
      timeoutMs: read(SETTINGS.storeTimeout),
      outageSlice: read(SETTINGS.outageSlice),
    }),
    registryPath: read(SETTINGS.registryPath),
    privateUpstreams: read(SETTINGS.allowPrivateUpstreams) ?? [],
    mock: {
      seed: read(SETTINGS.mockSeed),
      failureRate: read(SETTINGS.mockFailureRate),
      latencyScale: read(SETTINGS.mockLatencyScale),
    },
    budgetDefault: read(SETTINGS.budgetDefault),
    logRetentionDays: read(SETTINGS.logRetentionDays),
    contentKeptDays: read(SETTINGS.recordContent) || null,
    persistedPath: read(SETTINGS.persistedDocuments),
    isPersistedOnly: read(SETTINGS.persistedOnly) === 'yes',
    simulations: read(SETTINGS.simulations),
    auth: read(SETTINGS.auth) ?? (isLoopback(host) ? 'off' : 'keys'),
    adminKey: read(SETTINGS.adminKey),
    graphiql: read(SETTINGS.graphiql),
    allowedOrigins: read(SETTINGS.allowedOrigins) ?? [],
    socketsPerKey: read(SETTINGS.socketsPerKey),
    inFlightMax: read(SETTINGS.inFlightMax),
    drainWaitMs: read(SETTINGS.drainWaitMs),
    logLevel: read(SETTINGS.logLevel),
    telemetry: readTelemetry(read),
    variable: (name: string) => textOf(env[name]),
  };
  const { auth } = config;
  if (auth === 'off' && !isLoopback(host)) faults.push(openNetworkFault(host));
  if (config.store === null && config.variable(SETTINGS.databaseUrl.name) === null) faults.push(DATABASE_URL_MISSING);
  const { store, registryPath, persistedPath } = config;
  const isGraphiqlOn = graphiql === 'auto' ? auth === 'off' : graphiql === 'on';
  // A store of null always has a fault beside it: DATABASE_URL is either missing or malformed.
  if (faults.length > 0 || store === null) return { kind: 'invalid', faults, registryPath, persistedPath };
  return { kind: 'valid', config: { ...config, store, isGraphiqlOn } };
}

/** Checked here, but read through `variable` when the registry names them. */
const PROVIDER_SETTINGS = [
  SETTINGS.openaiApiKey,
  SETTINGS.geminiApiKey,
  SETTINGS.anthropicApiKey,
  SETTINGS.openaiBaseUrl,
  SETTINGS.geminiBaseUrl,
  SETTINGS.anthropicBaseUrl,
];

/** The names of those that cannot change while the service runs: all but what providers are called with. */
export const STARTING_SETTINGS: readonly string[] = Object.values<Setting<unknown>>(SETTINGS)
  .filter((setting) => !PROVIDER_SETTINGS.some(({ name }) => name === setting.name))
  .map(({ name }) => name);

const DATABASE_URL_MISSING = {
  name: SETTINGS.databaseUrl.name,
  message: 'DATABASE_URL is not set, but STORE=postgres needs it: set it, or choose STORE=embedded or STORE=memory',
};

/** Null when the store `postgres` is asked for without a URL. */
function storeChoice({
  asked,
  databaseUrl,
  ...durable
}: Durable & {
  readonly asked: StoreChoice['kind'] | null;
  readonly databaseUrl: string | null;
}): StoreChoice | null {
  const kind = asked ?? (databaseUrl === null ? 'embedded' : 'postgres');
  switch (kind) {
    case 'memory':
      return { kind };
    case 'embedded':
      return { kind, ...durable };
    case 'postgres':
      return databaseUrl === null ? null : { kind, url: databaseUrl, ...durable };
    default:
      return kind satisfies never;
  }
}

function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function openNetworkFault(host: string): ConfigFault {
  const { name } = SETTINGS.auth;
  const danger = `${name} is off while HOST is ${JSON.stringify(host)}, which is no loopback address: whoever reaches it could spend your money`;
  return { name, message: `${danger}. Unset ${name}, so that callers need keys, or use HOST=127.0.0.1` };
}
