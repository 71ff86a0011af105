import { describe, expect, test } from 'vitest';
import { type Config, type ConfigFault, parseConfig } from '../src/config.ts';
import { formatUsd } from '../src/core/money.ts';
import type { Setting } from '../src/settings/setting.ts';
import { SETTINGS } from '../src/settings.ts';

const SENT_NOWHERE = { resource: { 'service.name': 'switchyard' }, headers: {}, traces: null, metrics: null };
const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);

function configOf(env: Record<string, string>): Config {
  const result = parseConfig(env);
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.faults));
  return result.config;
}

function faultsOf(env: Record<string, string>): readonly ConfigFault[] {
  const result = parseConfig(env);
  return result.kind === 'invalid' ? result.faults : [];
}

describe('an empty environment', () => {
  test('gives the defaults', () => {
    const { budgetDefault, variable, ...rest } = configOf({});
    expect(rest).toEqual({
      port: 4000,
      host: '127.0.0.1',
      store: { kind: 'embedded', dataDir: '.switchyard', fallback: null, timeoutMs: 250, outageSlice: 0n },
      registryPath: null,
      privateUpstreams: [],
      mock: { seed: 42, failureRate: 0.1, latencyScale: 1 },
      logRetentionDays: 90,
      contentKeptDays: null,
      persistedPath: null,
      isPersistedOnly: false,
      simulations: 'auto',
      auth: 'off',
      adminKey: null,
      isGraphiqlOn: true,
      allowedOrigins: [],
      socketsPerKey: 100,
      inFlightMax: 1_000,
      drainWaitMs: 5_000,
      logLevel: 'info',
      telemetry: SENT_NOWHERE,
    });
    expect(formatUsd(budgetDefault)).toBe('1.00');
    expect(variable('OPENAI_API_KEY')).toBeNull();
  });

  test('is the same as one of empty variables', () => {
    const empty = Object.fromEntries(settings.map(({ name }) => [name, '  ']));
    const { variable: _first, ...fromEmpty } = configOf(empty);
    const { variable: _second, ...fromNothing } = configOf({});
    expect(fromEmpty).toEqual(fromNothing);
  });
});

describe('a full environment', () => {
  test('is read as it stands, without the white space around it', () => {
    const config = configOf({
      PORT: ' 0 ',
      HOST: '::1',
      DATABASE_URL: 'postgres://me:secret@db:5432/switchyard',
      STORE: 'postgres',
      STORE_FALLBACK: 'memory',
      DATA_DIR: '/data',
      STORE_TIMEOUT_MS: '500',
      OUTAGE_SLICE_USD: '0.25',
      SWITCHYARD_CONFIG: './mine.yaml',
      ALLOW_PRIVATE_UPSTREAMS: '10.1.0.0/16, fd12:3456::/32',
      MOCK_SEED: '7',
      MOCK_FAILURE_RATE: '0',
      MOCK_LATENCY_SCALE: '0.5',
      BUDGET_DEFAULT_USD: '0.000000000001',
      LOG_RETENTION_DAYS: '3650',
      RECORD_CONTENT: '7d',
      PERSISTED_DOCUMENTS: './documents.json',
      PERSISTED_ONLY: 'yes',
      SIMULATIONS: 'off',
      AUTH: 'keys',
      ADMIN_KEY: 'c0ffee00-1234-5678-9abc-def012345678',
      GRAPHIQL: 'on',
      ALLOWED_ORIGINS: 'https://app.example.com',
      SOCKETS_PER_KEY: '7',
      IN_FLIGHT_MAX: '64',
      DRAIN_WAIT_MS: '0',
      LOG_LEVEL: 'silent',
      GROQ_API_KEY: 'gsk-1\n',
    });
    const { budgetDefault, variable, ...rest } = config;
    expect(rest).toEqual({
      port: 0,
      host: '::1',
      store: {
        kind: 'postgres',
        url: 'postgres://me:secret@db:5432/switchyard',
        dataDir: '/data',
        fallback: 'memory',
        timeoutMs: 500,
        outageSlice: 250_000_000_000n,
      },
      registryPath: './mine.yaml',
      privateUpstreams: [
        { network: '10.1.0.0', prefix: 16, family: 'ipv4' },
        { network: 'fd12:3456::', prefix: 32, family: 'ipv6' },
      ],
      mock: { seed: 7, failureRate: 0, latencyScale: 0.5 },
      logRetentionDays: 3_650,
      contentKeptDays: 7,
      persistedPath: './documents.json',
      isPersistedOnly: true,
      simulations: 'off',
      auth: 'keys',
      adminKey: 'c0ffee00-1234-5678-9abc-def012345678',
      isGraphiqlOn: true,
      allowedOrigins: ['https://app.example.com'],
      socketsPerKey: 7,
      inFlightMax: 64,
      drainWaitMs: 0,
      logLevel: 'silent',
      telemetry: SENT_NOWHERE,
    });
    expect(budgetDefault).toBe(1n);
    expect(variable('GROQ_API_KEY')).toBe('gsk-1');
  });
});

describe('the store', () => {
  const url = 'postgresql://db/switchyard';

  test.each([
    [
      { DATABASE_URL: url },
      { kind: 'postgres', url, dataDir: '.switchyard', fallback: null, timeoutMs: 250, outageSlice: 0n },
    ],
    [{ DATABASE_URL: url, STORE: 'memory' }, { kind: 'memory' }],
    [
      { DATABASE_URL: url, STORE: 'embedded', DATA_DIR: '/data' },
      { kind: 'embedded', dataDir: '/data', fallback: null, timeoutMs: 250, outageSlice: 0n },
    ],
    [
      { STORE: 'embedded', STORE_FALLBACK: 'memory' },
      { kind: 'embedded', dataDir: '.switchyard', fallback: 'memory', timeoutMs: 250, outageSlice: 0n },
    ],
  ])('of %j is chosen', (env, store) => {
    expect(configOf(env).store).toEqual(store);
  });

  test('postgres needs a URL', () => {
    expect(faultsOf({ STORE: 'postgres' })).toEqual([
      { name: 'DATABASE_URL', message: expect.stringContaining('STORE=postgres needs it') },
    ]);
  });
});

describe('a value out of bounds', () => {
  test.each([
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', '-1'],
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['HOST', 'localhost:4000'],
    ['HOST', '127.0.0.256'],
    ['HOST', 'http://localhost'],
    ['DATABASE_URL', 'mysql://db/switchyard'],
    ['DATABASE_URL', 'postgres://'],
    ['STORE', 'sqlite'],
    ['STORE', 'Postgres'],
    ['STORE_FALLBACK', 'embedded'],
    ['DATA_DIR', 'a\0b'],
    ['OPENAI_API_KEY', 'sk two words'],
    ['GEMINI_API_KEY', '"quoted"'],
    ['ANTHROPIC_API_KEY', 'sk-ü'],
    ['OPENAI_BASE_URL', 'api.openai.com/v1'],
    ['GEMINI_BASE_URL', 'ftp://example.com'],
    ['ANTHROPIC_BASE_URL', 'https://'],
    ['ANTHROPIC_BASE_URL', 'https://example.com/?key=a'],
    ['ALLOW_PRIVATE_UPSTREAMS', '10.0.0.1'],
    ['ALLOW_PRIVATE_UPSTREAMS', '10.0.0.0/33'],
    ['ALLOW_PRIVATE_UPSTREAMS', '10.0.0.0/8;192.168.0.0/16'],
    ['ALLOW_PRIVATE_UPSTREAMS', '10.0.0.0/8,'],
    ['ALLOW_PRIVATE_UPSTREAMS', 'fe80::1%eth0/64'],
    ['ALLOW_PRIVATE_UPSTREAMS', 'inside.example/8'],
    ['ALLOW_PRIVATE_UPSTREAMS', Array(65).fill('10.0.0.0/8').join()],
    ['MOCK_SEED', '4294967296'],
    ['MOCK_FAILURE_RATE', '1.1'],
    ['MOCK_FAILURE_RATE', '10%'],
    ['MOCK_LATENCY_SCALE', '101'],
    ['BUDGET_DEFAULT_USD', '-1'],
    ['BUDGET_DEFAULT_USD', '$1'],
    ['BUDGET_DEFAULT_USD', '1000000.01'],
    ['BUDGET_DEFAULT_USD', '0.0000000000001'],
    ['RECORD_CONTENT', '0d'],
    ['RECORD_CONTENT', '366d'],
    ['RECORD_CONTENT', '7'],
    ['RECORD_CONTENT', 'on'],
    ['SIMULATIONS', 'yes'],
    ['AUTH', 'basic'],
    ['AUTH', 'on'],
    ['ADMIN_KEY', 'short'],
    ['ADMIN_KEY', 'changeme'.repeat(8)],
    ['ADMIN_KEY', 'a'.repeat(64)],
    ['ADMIN_KEY', '0123456789abcdef 0123456789abcdeX'],
    ['GRAPHIQL', 'yes'],
    ['ALLOWED_ORIGINS', '*'],
    ['ALLOWED_ORIGINS', 'null'],
    ['ALLOWED_ORIGINS', 'app.example.com'],
    ['ALLOWED_ORIGINS', 'https://a.example, https://b.example/path'],
    ['ALLOWED_ORIGINS', 'https://a.example,'],
    ['SOCKETS_PER_KEY', '0'],
    ['IN_FLIGHT_MAX', '0'],
    ['IN_FLIGHT_MAX', '100001'],
    ['DRAIN_WAIT_MS', '60001'],
    ['DRAIN_WAIT_MS', '5s'],
    ['LOG_LEVEL', 'verbose'],
  ])('in %s (%j) is a fault that names the variable and its bounds', (name, value) => {
    const bounds = settings.find((setting) => setting.name === name)!.bounds;
    expect(faultsOf({ [name]: value })).toEqual([{ name, message: expect.stringContaining(name) }]);
    expect(faultsOf({ [name]: value })[0]!.message).toContain(`must be ${bounds}: change it, or unset it`);
  });

  test('is repeated, so that it can be found', () => {
    expect(faultsOf({ PORT: '70000' })[0]!.message).toContain('PORT is "70000"');
    expect(faultsOf({ LOG_LEVEL: 'x'.repeat(1_000) })[0]!.message.length).toBeLessThan(300);
  });

  test.each([
    ['DATABASE_URL', 'mysql://me:hunter2@db/switchyard'],
    ['OPENAI_API_KEY', 'sk hunter2'],
    ['ADMIN_KEY', 'hunter2'],
    ['ANTHROPIC_BASE_URL', 'https://me:hunter2@example.com'],
    ['GEMINI_BASE_URL', 'https://example.com/?key=hunter2'],
  ])('is never repeated when it may hold a secret: %s', (name, value) => {
    expect(faultsOf({ [name]: value })).toHaveLength(1);
    expect(JSON.stringify(faultsOf({ [name]: value }))).not.toContain('hunter2');
  });

  test('does not hide another', () => {
    const bad = {
      PORT: 'x',
      STORE: 'x',
      MOCK_SEED: 'x',
      LOG_LEVEL: 'x',
      HOST: '0.0.0.0',
      AUTH: 'off',
      SWITCHYARD_CONFIG: 'a.yaml',
    };
    expect(faultsOf(bad).map(({ name }) => name)).toEqual(['PORT', 'STORE', 'MOCK_SEED', 'LOG_LEVEL', 'AUTH']);
    expect(parseConfig(bad)).toMatchObject({ kind: 'invalid', registryPath: 'a.yaml' });
  });
});

describe('who may come in', () => {
  test.each(['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.0.0.1.example.com'])(
    'on %s are those with a key, and nobody can open it to all',
    (host) => {
      expect(configOf({ HOST: host })).toMatchObject({ host, auth: 'keys', isGraphiqlOn: false });
      expect(faultsOf({ HOST: host, AUTH: 'off' })).toEqual([
        {
          name: 'AUTH',
          message: expect.stringContaining('Unset AUTH, so that callers need keys, or use HOST=127.0.0.1'),
        },
      ]);
    },
  );

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost', 'LOCALHOST'])(
    'on %s is everybody, unless keys are asked for',
    (host) => {
      expect(configOf({ HOST: host })).toMatchObject({ auth: 'off', isGraphiqlOn: true });
      expect(configOf({ HOST: host, AUTH: 'keys' })).toMatchObject({ auth: 'keys', isGraphiqlOn: false });
    },
  );

  test('does not depend on what GraphiQL is set to, nor the other way round', () => {
    expect(configOf({ AUTH: 'keys', GRAPHIQL: 'on' })).toMatchObject({ auth: 'keys', isGraphiqlOn: true });
    expect(configOf({ GRAPHIQL: 'off' })).toMatchObject({ auth: 'off', isGraphiqlOn: false });
  });

  test('is said by origins as browsers write them', () => {
    expect(configOf({ ALLOWED_ORIGINS: 'https://App.example.com, http://localhost:5173' }).allowedOrigins).toEqual([
      'https://app.example.com',
      'http://localhost:5173',
    ]);
    expect(configOf({}).allowedOrigins).toEqual([]);
  });

  test('is told how to make an ADMIN_KEY that is strong', () => {
    expect(faultsOf({ ADMIN_KEY: 'password'.repeat(4) })[0]!.message).toContain('openssl rand -hex 32');
    expect(configOf({ ADMIN_KEY: '6f1c9a0be77d4c52a8e3f94b1d06c7a5' }).adminKey).toMatch(/^6f1c/);
  });
});
