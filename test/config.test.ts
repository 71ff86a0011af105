import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Config, type ConfigFault, parseConfig } from '../src/config.ts';
import { formatUsd } from '../src/core/money.ts';
import { SETTINGS, type Setting } from '../src/settings.ts';

const DOCS = new URL('../docs/configuration.md', import.meta.url);

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
      mock: { seed: 42, failureRate: 0.1, latencyScale: 1 },
      logRetentionDays: 90,
      persistedPath: null,
      isPersistedOnly: false,
      simulations: 'auto',
      auth: 'off',
      inFlightMax: 1_000,
      drainWaitMs: 5_000,
      logLevel: 'info',
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
      MOCK_SEED: '7',
      MOCK_FAILURE_RATE: '0',
      MOCK_LATENCY_SCALE: '0.5',
      BUDGET_DEFAULT_USD: '0.000000000001',
      LOG_RETENTION_DAYS: '3650',
      PERSISTED_DOCUMENTS: './documents.json',
      PERSISTED_ONLY: 'yes',
      SIMULATIONS: 'off',
      AUTH: 'off',
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
      mock: { seed: 7, failureRate: 0, latencyScale: 0.5 },
      logRetentionDays: 3_650,
      persistedPath: './documents.json',
      isPersistedOnly: true,
      simulations: 'off',
      auth: 'off',
      inFlightMax: 64,
      drainWaitMs: 0,
      logLevel: 'silent',
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
    ['MOCK_SEED', '4294967296'],
    ['MOCK_FAILURE_RATE', '1.1'],
    ['MOCK_FAILURE_RATE', '10%'],
    ['MOCK_LATENCY_SCALE', '101'],
    ['BUDGET_DEFAULT_USD', '-1'],
    ['BUDGET_DEFAULT_USD', '$1'],
    ['BUDGET_DEFAULT_USD', '1000000.01'],
    ['BUDGET_DEFAULT_USD', '0.0000000000001'],
    ['SIMULATIONS', 'yes'],
    ['AUTH', 'basic'],
    ['AUTH', 'keys'],
    ['ALLOW_OPEN_NETWORK', 'true'],
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
    ['ANTHROPIC_BASE_URL', 'https://me:hunter2@example.com'],
    ['GEMINI_BASE_URL', 'https://example.com/?key=hunter2'],
  ])('is never repeated when it may hold a secret: %s', (name, value) => {
    expect(faultsOf({ [name]: value })).toHaveLength(1);
    expect(JSON.stringify(faultsOf({ [name]: value }))).not.toContain('hunter2');
  });

  test('says that keys come later', () => {
    expect(faultsOf({ AUTH: 'keys' })[0]!.message).toContain('`keys` comes with API keys');
  });

  test('does not hide another', () => {
    const bad = { PORT: 'x', STORE: 'x', MOCK_SEED: 'x', LOG_LEVEL: 'x', HOST: '0.0.0.0', SWITCHYARD_CONFIG: 'a.yaml' };
    expect(faultsOf(bad).map(({ name }) => name)).toEqual(['PORT', 'STORE', 'MOCK_SEED', 'LOG_LEVEL', 'HOST']);
    expect(parseConfig(bad)).toMatchObject({ kind: 'invalid', registryPath: 'a.yaml' });
  });
});

describe('an open network', () => {
  test.each(['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.0.0.1.example.com'])('on %s is refused', (host) => {
    for (const env of [{}, { AUTH: 'off' }, { ALLOW_OPEN_NETWORK: 'yes' }, { AUTH: 'off', ALLOW_OPEN_NETWORK: 'no' }]) {
      expect(faultsOf({ ...env, HOST: host })).toEqual([
        { name: 'HOST', message: expect.stringContaining('set both AUTH=off and ALLOW_OPEN_NETWORK=yes by hand') },
      ]);
    }
  });

  test('is allowed when both are said by hand', () => {
    expect(configOf({ HOST: '0.0.0.0', AUTH: 'off', ALLOW_OPEN_NETWORK: 'yes' }).host).toBe('0.0.0.0');
  });

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost', 'LOCALHOST'])('is not what %s is', (host) => {
    expect(configOf({ HOST: host }).host).toBe(host);
  });
});

describe('docs/configuration.md', () => {
  test('tells every setting as the code has it', () => {
    const rows = readFileSync(DOCS, 'utf8').match(/^\| `[A-Z_]+` \|.*$/gm);
    expect(rows).toEqual(settings.map(rowOf));
  });
});

function rowOf(setting: Setting<unknown>): string {
  const assumed = setting.default === null ? '–' : `\`${setting.default}\``;
  return `| \`${setting.name}\` | ${setting.unit ?? '–'} | ${assumed} | ${setting.bounds} | ${setting.meaning} |`;
}
