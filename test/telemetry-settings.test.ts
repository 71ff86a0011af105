import { expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';

const BASE = 'https://collector.example.com/otlp';

function telemetryOf(env: Record<string, string>) {
  const result = parseConfig(env);
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.faults));
  return result.config.telemetry;
}

test('one address is for both signals, unless a signal has its own', () => {
  expect(telemetryOf({ OTEL_EXPORTER_OTLP_ENDPOINT: `${BASE}/` })).toEqual({
    resource: { 'service.name': 'switchyard' },
    headers: {},
    traces: { url: `${BASE}/v1/traces`, sampler: 'parentbased_always_on', ratio: 1 },
    metrics: { url: `${BASE}/v1/metrics`, everyMs: 60_000 },
  });
  const own = 'http://127.0.0.1:4318/mine';
  const both = telemetryOf({ OTEL_EXPORTER_OTLP_ENDPOINT: BASE, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own });
  expect([both.traces?.url, both.metrics?.url]).toEqual([own, `${BASE}/v1/metrics`]);
  const one = telemetryOf({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: own, OTEL_METRIC_EXPORT_INTERVAL: '5000' });
  expect([one.traces, one.metrics]).toEqual([null, { url: own, everyMs: 5_000 }]);
});

test('all of it can be switched off', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: BASE, OTEL_SDK_DISABLED: 'true' };
  expect(telemetryOf(env)).toMatchObject({ traces: null, metrics: null });
});

test('headers and attributes are pairs, encoded as in URLs, and the name of the service is the one that is set', () => {
  const telemetry = telemetryOf({
    OTEL_EXPORTER_OTLP_ENDPOINT: BASE,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, x-tenant = a',
    OTEL_SERVICE_NAME: 'gateway',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=staging',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  });
  expect(telemetry.headers).toEqual({ authorization: 'Bearer x', 'x-tenant': 'a' });
  expect(telemetry.resource).toEqual({ 'service.name': 'gateway', 'deployment.environment.name': 'staging' });
  expect(telemetry.traces).toMatchObject({ sampler: 'traceidratio', ratio: 0.25 });
  expect(telemetryOf({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=other' }).resource).toEqual({ 'service.name': 'other' });
  expect(telemetryOf({}).resource).toEqual({ 'service.name': 'switchyard' });
});

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://me:secret@collector'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=x%0d%0aforged'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=%zz'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_METRIC_EXPORT_INTERVAL', '0'],
  ['OTEL_SDK_DISABLED', 'yes'],
])('%s=%s is refused', (name, text) => {
  const result = parseConfig({ [name]: text });
  expect(result).toMatchObject({ kind: 'invalid', faults: [{ name }] });
});
