import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { configHashOf } from '../../src/wiring/config-hash.ts';
import type { Setup } from '../../src/wiring/read-setup.ts';
import { makeSetupFolder } from './reloading.ts';

const HERE = { STORE: 'embedded', FIRST_KEY: 'sk-one' };

function withEnv(setup: Setup, env: Readonly<Record<string, string>>): Setup {
  const parsed = parseConfig({ ...HERE, ...env });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.faults));
  return { ...setup, config: parsed.config };
}

test('the hash differs with all that replicas should agree in, and with nothing else', async () => {
  await using place = await makeSetupFolder({ given: HERE });
  const setup = await place.readSetup();
  const [first, ...others] = setup.endpoints;
  const hash = (of: Setup) => configHashOf(of, of.registry);
  const own = hash(setup);
  expect(own).toMatch(/^[0-9a-f]{12}$/);

  const different: readonly Setup[] = [
    { ...setup, registry: { ...setup.registry, priceListVersion: 'test-2' } },
    { ...setup, registry: { ...setup.registry, providers: setup.registry.providers.toReversed() } },
    { ...setup, endpoints: [{ ...first!, baseUrl: 'https://elsewhere.example' } as typeof first & object, ...others] },
    { ...setup, endpoints: [{ kind: 'mock', key: first!.key, missingVariable: 'FIRST_KEY' }, ...others] },
    { ...setup, persisted: { ...setup.persisted, texts: new Map([['a', '{ __typename }']]) } },
    ...[
      { BUDGET_DEFAULT_USD: '2' },
      { OUTAGE_SLICE_USD: '0.5' },
      { LOG_RETENTION_DAYS: '7' },
      { RECORD_CONTENT: '7d' },
      { PERSISTED_ONLY: 'yes' },
      { SIMULATIONS: 'off' },
      { AUTH: 'keys' },
      { ALLOWED_ORIGINS: 'https://app.example.com' },
      { ALLOW_PRIVATE_UPSTREAMS: '10.1.0.0/16' },
      { MOCK_FAILURE_RATE: '0.5' },
    ].map((env) => withEnv(setup, env)),
  ];
  const hashes = different.map(hash);
  expect(new Set([own, ...hashes]).size).toBe(different.length + 1);

  const alike: readonly Setup[] = [
    { ...setup, endpoints: [{ ...first!, apiKey: 'sk-two' } as typeof first & object, ...others] },
    ...[
      { PORT: '5000' },
      { DATA_DIR: 'elsewhere' },
      { STORE_TIMEOUT_MS: '900' },
      { IN_FLIGHT_MAX: '7' },
      { LOG_LEVEL: 'debug' },
      { ADMIN_KEY: 'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56' },
      { MOCK_SEED: '7' },
    ].map((env) => withEnv(setup, env)),
  ];
  expect(alike.map(hash)).toEqual(alike.map(() => own));
});
