import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SamplerName } from '../core/telemetry-config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Traces } from '../ports/traces.ts';
import { makeBoundedSpans } from './bounded-spans.ts';
import { makeExportWatch } from './export-watch.ts';
import { NO_TRACES } from './no-traces.ts';
import { startMetricPush } from './otlp-meters.ts';
import { makeTraces } from './otlp-traces.ts';
import type { TelemetryNeeds } from './telemetry-needs.ts';

/** How long one export may take, and how long is waited for the last ones when the service stops. */
const EXPORT = { timeoutMs: 5_000, closeMs: 3_000 } as const;

/** Sends by OTLP over HTTP, in protobuf. A collector that is away is told of once, and holds nothing up. */
export function startExport(needs: TelemetryNeeds): Traces {
  const { resource, headers, metrics } = needs.targets;
  const made = resourceFromAttributes({
    'service.version': needs.version,
    'service.instance.id': needs.replica,
    ...resource,
  });
  const traces = startTraces(needs, made);
  const push =
    metrics === null
      ? null
      : startMetricPush({
          ...needs,
          resource: made,
          everyMs: metrics.everyMs,
          exporter: new OTLPMetricExporter({ url: metrics.url, headers, timeoutMillis: EXPORT.timeoutMs }),
        });
  return {
    operation: traces.operation,
    async [Symbol.asyncDispose]() {
      const last = [traces[Symbol.asyncDispose](), push?.[Symbol.asyncDispose]()];
      await within(Promise.all(last), needs.clock);
    },
  };
}

function startTraces({ targets, meters, log, nameOf, version }: TelemetryNeeds, resource: Resource): Traces {
  const { traces, headers } = targets;
  if (traces === null) return NO_TRACES;
  const exporter = new OTLPTraceExporter({ url: traces.url, headers, timeoutMillis: EXPORT.timeoutMs });
  const spans = makeBoundedSpans({ exporter, meters, watch: makeExportWatch(log, 'traces') });
  const provider = new TracerProvider({
    resource,
    sampler: samplerOf(traces.sampler, traces.ratio),
    spanProcessors: [spans],
  });
  return makeTraces({
    tracer: provider.getTracer('switchyard', version),
    nameOf,
    close: () => provider.shutdown(),
  });
}

function samplerOf(name: SamplerName, ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return name satisfies never;
  }
}

/** What is not out by then is lost: a service that was told to stop does not wait for a collector. */
async function within(work: Promise<unknown>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _timer = clock.after(EXPORT.closeMs, late.resolve);
  await Promise.race([work.catch(() => undefined), late.promise]);
}
