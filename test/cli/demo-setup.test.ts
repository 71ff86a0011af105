import { expect, test } from 'vitest';
import { readDemoSetup } from '../../src/cli/demo-setup.ts';
import { runCommand } from '../support/run-command.ts';

const SHARED = { DATABASE_URL: 'postgres://production/switchyard' };

test('a demonstration refuses a database that others may use, and says what to do', async () => {
  for (const STORE of ['postgres', ' postgres ']) {
    const { code, stdout, stderr } = await runCommand(['demo'], { env: { ...SHARED, STORE } });
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toMatch(/^environment: STORE=postgres is not for a demonstration.* Unset STORE, or /);
  }
});

test('a demonstration reaches neither database, provider nor collector that is set, and says which it leaves out', async () => {
  const said = await readDemoSetup({
    ...SHARED,
    STORE: ' ',
    OPENAI_API_KEY: 'sk-mine',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces',
  });
  expect(said).toMatchObject({
    kind: 'valid',
    ignored: ['DATABASE_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    setup: { config: { store: { kind: 'memory' }, telemetry: { traces: null, metrics: null } } },
  });
  const kinds = said.kind === 'valid' ? said.setup.endpoints.map(({ kind }) => kind) : [];
  expect(new Set(kinds)).toEqual(new Set(['mock']));
});

test('a demonstration that keeps its state does so beside the state of the service', async () => {
  expect(await readDemoSetup({ STORE: 'embedded', DATA_DIR: '/data' })).toMatchObject({
    setup: { config: { store: { kind: 'embedded', dataDir: '/data/demo' } } },
    ignored: [],
  });
});
