import { SpanStatusCode } from '@opentelemetry/api';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { JournalUnavailable, StoreUnavailable } from '../../src/core/unavailable.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeTraces } from '../../src/telemetry/otlp-traces.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';
import { CHEAPEST } from './stream-reading.ts';

/** A gateway whose requests are traced, and whose store breaks as it is told to. */
function makeTracedKit(budgetDefault = usd('1')) {
  const memory = makeMemoryStore({ registry: PRICED, now: makeFakeClock().now, replica: REPLICA });
  const trouble: { error: Error | null } = { error: null };
  const look: typeof memory.look = async (payer) => {
    if (trouble.error !== null) throw trouble.error;
    return memory.look(payer);
  };
  const kit = makeGatewayKit({ registry: PRICED, store: { ...memory, look }, budgetDefault });
  const ended: ReadableSpan[] = [];
  const processor = {
    onStart: () => undefined,
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const traces = makeTraces({
    tracer: new TracerProvider({ spanProcessors: [processor] }).getTracer('test'),
    nameOf: String,
    close: async () => undefined,
  });
  /** What the span of the door says of a chat. */
  const trace = async (
    chat: (call: ReturnType<typeof kit.callOf>) => Promise<unknown>,
    signal = new AbortController().signal,
  ) => {
    const span = traces.operation('POST /graphql', undefined);
    await chat({ ...kit.callOf(CHEAPEST), signal, span }).catch(() => undefined);
    span.end({ kind: 'mutation', operation: null, status: 200, errorCount: 0 });
    const door = ended.find(({ name }) => name === 'POST /graphql');
    ended.length = 0;
    const { 'switchyard.outcome': outcome, 'error.type': errorType } = door?.attributes ?? {};
    return { outcome, errorType, isError: door?.status.code === SpanStatusCode.ERROR };
  };
  return { ...kit, trouble, trace };
}

async function read(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of stream);
}

test('the span of the door says how its chat ended, and is an error when providers failed', async () => {
  await using kit = makeTracedKit();
  const { gateway } = kit;
  expect(await kit.trace(gateway.chat)).toEqual({ outcome: 'succeeded', errorType: undefined, isError: false });
  for (const key of ['a', 'b', 'c', 'd'])
    kit.provider(key).script({ kind: 'fail', failure: { kind: 'providerError' } });
  const failed = { outcome: 'failed', errorType: 'ALL_PROVIDERS_FAILED', isError: true };
  expect(await kit.trace(gateway.chat)).toEqual(failed);
  for (const key of ['a', 'b', 'c', 'd'])
    kit.provider(key).script({ kind: 'fail', failure: { kind: 'providerError' } });
  expect(await kit.trace((call) => read(gateway.stream({ ...call, resumeAfter: null })))).toEqual(failed);

  const leave = new AbortController();
  kit.provider('a').script({ kind: 'hang' });
  const left = kit.trace(gateway.chat, leave.signal);
  await quiet();
  leave.abort();
  expect(await left).toEqual({ outcome: 'cancelled', errorType: 'CANCELLED', isError: false });
  expect(kit.meters.broken).toEqual([]);

  await using poor = makeTracedKit(usd('0'));
  const refused = { outcome: 'refused', errorType: 'BUDGET_EXCEEDED', isError: false };
  expect(await poor.trace(poor.gateway.chat)).toEqual(refused);
});

test('a chat that breaks off without a record is counted, and its span says why', async () => {
  await using kit = makeTracedKit();
  const codes: unknown[] = [];
  for (const error of [new StoreUnavailable('away'), new JournalUnavailable('full'), new RangeError('a bug')]) {
    kit.trouble.error = error;
    codes.push(await kit.trace(kit.gateway.chat));
  }
  expect(codes).toEqual([
    { outcome: 'unavailable', errorType: 'STORE_UNAVAILABLE', isError: true },
    { outcome: 'unavailable', errorType: 'JOURNAL_UNAVAILABLE', isError: true },
    { outcome: 'internal', errorType: 'INTERNAL', isError: true },
  ]);
  kit.trouble.error = new StoreUnavailable('away');
  await kit.trace((call) => read(kit.gateway.stream({ ...call, resumeAfter: null })));
  expect(kit.meters.broken).toEqual([
    'graphql unavailable',
    'graphql unavailable',
    'graphql internal',
    'graphql unavailable',
  ]);
  expect(kit.meters.requests).toEqual([]);
});
