import { type HrTime, ValueType } from '@opentelemetry/api';
import type { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { makeExportWatch } from './export-watch.ts';
import { exposedLabelOf, METER_TABLE, type MeterRow } from './meter-table.ts';
import type { MeterBook, MeterReading, Sample } from './meters.ts';

/** Sends all meters of the table again and again. Disposing of it sends them once more. */
export function startMetricPush(of: {
  readonly meters: MeterBook;
  readonly exporter: Pick<OTLPMetricExporter, 'export' | 'shutdown'>;
  readonly resource: Resource;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}): AsyncDisposable {
  const { meters, exporter, resource, clock } = of;
  const watch = makeExportWatch(of.log, 'metrics');
  const scope = { name: 'switchyard', version: of.version };
  const startTime = momentOf(clock);
  let timer: Disposable | null = null;
  let isOver = false;
  const push = async () => {
    const times = { startTime, endTime: momentOf(clock) };
    const metrics = (await meters.snapshot()).map((reading) => metricOf(reading, times));
    await new Promise<void>((resolve) => {
      exporter.export({ resource, scopeMetrics: [{ scope, metrics }] }, (result) => {
        watch(result.code === 0 ? null : (result.error ?? new Error('they were not taken')));
        resolve();
      });
    });
  };
  // One after the other: a collector that is slow is not given a second batch meanwhile.
  const wait = () => {
    timer = clock.after(of.everyMs, () => {
      void push()
        .catch((error: unknown) => of.log.error('meters could not be sent', { error: String(error) }))
        .then(() => {
          if (!isOver) wait();
        });
    });
  };
  wait();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      timer?.[Symbol.dispose]();
      await push();
      await exporter.shutdown();
    },
  };
}

interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** One meter as OpenTelemetry has it: its sums since the start of the process. */
export function metricOf({ name, samples }: MeterReading, times: Times): MetricData {
  const row: MeterRow = METER_TABLE[name];
  const descriptor = { name: row.name, description: row.help, unit: row.unit, valueType: ValueType.DOUBLE };
  const basis = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const pointOf = ({ value, labels }: Sample) => ({ ...times, attributes: attributesOf(row, labels), value });
  switch (row.kind) {
    case 'counter':
      return { ...basis, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: samples.map(pointOf) };
    case 'gauge':
      return { ...basis, dataPointType: DataPointType.GAUGE, dataPoints: samples.map(pointOf) };
    case 'histogram':
      return { ...basis, dataPointType: DataPointType.HISTOGRAM, dataPoints: histogramsOf(row, samples, times) };
    default:
      return row.kind satisfies never;
  }
}

/** Prometheus tells buckets with all smaller ones in them, each as a line; here each has its own, in one point. */
function histogramsOf(row: MeterRow, samples: readonly Sample[], times: Times): DataPoint<Histogram>[] {
  const series = Map.groupBy(samples, ({ labels }) => JSON.stringify(attributesOf(row, labels)));
  return Array.from(series.values(), (lines) => {
    const figure = (suffix: string) => lines.find(({ metricName }) => metricName?.endsWith(suffix))?.value ?? 0;
    const upTo = lines.filter(({ metricName }) => metricName?.endsWith('_bucket')).map(({ value }) => value);
    const counts = upTo.map((value, index) => value - (upTo[index - 1] ?? 0));
    return {
      ...times,
      attributes: attributesOf(row, lines[0]?.labels ?? {}),
      value: { buckets: { boundaries: [...row.buckets], counts }, sum: figure('_sum'), count: figure('_count') },
    };
  });
}

function attributesOf(row: MeterRow, labels: Sample['labels']): Record<string, string> {
  return Object.fromEntries(
    row.labels.flatMap((label) => {
      const value = labels[exposedLabelOf(label)];
      return value === undefined ? [] : [[label, String(value)]];
    }),
  );
}

function momentOf(clock: Clock): HrTime {
  const nowMs = clock.now();
  return [Math.floor(nowMs / 1_000), (nowMs % 1_000) * 1_000_000];
}
