import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Meters } from '../ports/meters.ts';
import type { ExportWatch } from './export-watch.ts';

/** `waitingMax` are those that have not reached the collector, those on their way included. */
const SPANS = { waitingMax: 4_096, batchMax: 512, everyMs: 2_000 } as const;

/** Gathers spans that have ended and sends them in batches. What there is no room for, and what the collector did not take, is counted. */
export function makeBoundedSpans(of: {
  readonly exporter: SpanExporter;
  readonly meters: Pick<Meters, 'spansDropped'>;
  readonly watch: ExportWatch;
}): SpanProcessor {
  const { exporter, meters, watch } = of;
  let waiting = 0;
  const batches = new BatchSpanProcessor({
    maxQueueSize: SPANS.waitingMax,
    maxExportBatchSize: SPANS.batchMax,
    scheduledDelayMillis: SPANS.everyMs,
    exporter: {
      export(spans, done) {
        exporter.export(spans, (result) => {
          waiting -= spans.length;
          if (result.code !== 0) meters.spansDropped.add(spans.length);
          watch(result.code === 0 ? null : (result.error ?? new Error('it was not taken')));
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
      forceFlush: async () => exporter.forceFlush?.(),
    },
  });
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd(span) {
      if (waiting >= SPANS.waitingMax) return meters.spansDropped.add(1);
      waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}
