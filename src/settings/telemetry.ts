import { SAMPLERS, type TelemetryConfig } from '../core/telemetry-config.ts';
import { oneOf, wholeNumber } from './bounds.ts';
import { optional, type Setting, withDefault } from './setting.ts';

/** Most names in one variable, and characters of each value. */
const PAIRS = { countMax: 64, charsMax: 1_024 } as const;

const SERVICE_NAME = 'service.name';

export const TELEMETRY_SETTINGS = {
  otlpEndpoint: optional({
    ...endpoint(),
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    meaning:
      'A collector that takes OTLP over HTTP (protobuf): traces go to `/v1/traces` there, figures to `/v1/metrics`. Unset: neither is sent.',
  }),
  otlpTracesEndpoint: optional({
    ...endpoint(),
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    meaning: 'Where traces go, as it stands, whatever the one before says.',
  }),
  otlpMetricsEndpoint: optional({
    ...endpoint(),
    name: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    meaning: 'Where figures go, as it stands, whatever the first one says.',
  }),
  otlpHeaders: optional({
    ...pairs(),
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    meaning: 'Headers for the collector, such as its credential.',
    isSecret: true,
  }),
  otelServiceName: optional({
    name: 'OTEL_SERVICE_NAME',
    meaning:
      'What this service is called there. Unset: `service.name` of `OTEL_RESOURCE_ATTRIBUTES`, or else `switchyard`.',
    bounds: '1 to 255 printable characters',
    parse: (text: string) => (/^[\x20-\x7e]{1,255}$/.test(text) ? text : null),
  }),
  otelResourceAttributes: optional({
    ...pairs(),
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    meaning: 'What else is said of this process, such as `deployment.environment.name=production`.',
  }),
  otelTracesSampler: withDefault('parentbased_always_on', {
    ...oneOf(SAMPLERS),
    name: 'OTEL_TRACES_SAMPLER',
    meaning: 'Which requests are traced; those that begin with `parentbased_` do as the caller does, if it says.',
  }),
  otelTracesSamplerArg: withDefault('1', {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    meaning: 'The share of requests that the samplers with `traceidratio` trace.',
    unit: 'share',
    bounds: 'a decimal number from 0 to 1',
    parse: (text) => (/^(0(\.\d{1,15})?|1(\.0{1,15})?)$/.test(text) ? Number(text) : null),
  }),
  otelMetricInterval: withDefault('60000', {
    ...wholeNumber({ min: 1_000, max: 3_600_000 }),
    name: 'OTEL_METRIC_EXPORT_INTERVAL',
    meaning: 'How often figures are sent.',
    unit: 'milliseconds',
  }),
  otelDisabled: withDefault('false', {
    ...oneOf(['true', 'false']),
    name: 'OTEL_SDK_DISABLED',
    meaning: '`true`: neither traces nor figures are sent. `/metrics` stays.',
  }),
} as const;

/** What these variables come to. */
export function readTelemetry(read: <T, U>(setting: Setting<T, U>) => T | U): TelemetryConfig {
  const name = read(TELEMETRY_SETTINGS.otelServiceName);
  const base = read(TELEMETRY_SETTINGS.otlpEndpoint);
  const under = (path: string) => (base === null ? null : `${base.replace(/\/+$/, '')}/${path}`);
  const tracesUrl = read(TELEMETRY_SETTINGS.otlpTracesEndpoint) ?? under('v1/traces');
  const metricsUrl = read(TELEMETRY_SETTINGS.otlpMetricsEndpoint) ?? under('v1/metrics');
  const sampler = read(TELEMETRY_SETTINGS.otelTracesSampler);
  const ratio = read(TELEMETRY_SETTINGS.otelTracesSamplerArg);
  const everyMs = read(TELEMETRY_SETTINGS.otelMetricInterval);
  const isOff = read(TELEMETRY_SETTINGS.otelDisabled) === 'true';
  return {
    resource: {
      [SERVICE_NAME]: 'switchyard',
      ...read(TELEMETRY_SETTINGS.otelResourceAttributes),
      ...(name === null ? {} : { [SERVICE_NAME]: name }),
    },
    headers: read(TELEMETRY_SETTINGS.otlpHeaders) ?? {},
    traces: isOff || tracesUrl === null ? null : { url: tracesUrl, sampler, ratio },
    metrics: isOff || metricsUrl === null ? null : { url: metricsUrl, everyMs },
  };
}

function endpoint() {
  return {
    bounds: 'an http:// or https:// URL without credentials, query or fragment',
    parse: (text: string) => (/^https?:\/\/[^\s?#@]+$/.test(text) && URL.canParse(text) ? text : null),
  };
}

/** As `name=value` with commas between them; values are encoded as in URLs. */
function pairs() {
  return { bounds: 'pairs such as name=value,other=value', parse: parsePairs };
}

function parsePairs(text: string): Readonly<Record<string, string>> | null {
  const found = text.split(',').map((pair) => /^\s*([\w.\-/]+)\s*=\s*(.*?)\s*$/.exec(pair));
  const read: [string, string][] = [];
  for (const pair of found) {
    const value = decoded(pair?.[2]);
    if (pair?.[1] === undefined || value === null || value.length > PAIRS.charsMax) return null;
    read.push([pair[1], value]);
  }
  return read.length > PAIRS.countMax ? null : Object.fromEntries(read);
}

/** Null when it is not encoded as in URLs, or holds what no header may. */
function decoded(text: string | undefined): string | null {
  try {
    const value = decodeURIComponent(text ?? '');
    return /^[\x20-\x7e]*$/.test(value) ? value : null;
  } catch {
    return null;
  }
}
