import { ROOT_CONTEXT } from '@opentelemetry/api';
import { type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { makeBoundedSpans } from '../../src/telemetry/bounded-spans.ts';
import { makeFakeMeters } from '../fakes/meters.ts';

test('a collector that never answers is waited for by a bounded number of spans; all others are counted and gone', async () => {
  const meters = makeFakeMeters();
  const errors: (Error | null)[] = [];
  const pending: ((result: { code: number; error?: Error }) => void)[] = [];
  const sent: ReadableSpan[] = [];
  const exporter: SpanExporter = {
    export(spans, done) {
      sent.push(...spans);
      pending.push(done);
    },
    shutdown: async () => undefined,
  };
  const spans = makeBoundedSpans({ exporter, meters, watch: (error) => void errors.push(error) });
  const tracer = new TracerProvider({ spanProcessors: [spans] }).getTracer('test');
  for (let count = 0; count < 5_000; count += 1) tracer.startSpan('chat', {}, ROOT_CONTEXT).end();
  expect(meters.shown('spansDropped')).toBe(5_000 - 4_096);

  await expect.poll(() => pending.length).toBe(1);
  const lost = sent.length;
  pending.shift()?.({ code: 1, error: new Error('connection refused') });
  expect(meters.shown('spansDropped')).toBe(5_000 - 4_096 + lost);
  expect(errors).toMatchObject([{ message: 'connection refused' }]);
  // What is gone makes room.
  for (let count = 0; count < lost + 1; count += 1) tracer.startSpan('chat', {}, ROOT_CONTEXT).end();
  expect(meters.shown('spansDropped')).toBe(5_000 - 4_096 + lost + 1);
});
