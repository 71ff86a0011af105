import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCollector, treeOf } from '../support/collector.ts';
import { startService } from '../support/running.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs', 'operations.md');
const CALLERS_TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${CALLERS_TRACE}-b7ad6b7169203331-01`;
const PROMPT = 'Canary: my secret is plum pudding';
const USER = 'canary-user';

const CHAT = `mutation Ask($prompt: String!, $user: String) {
  chat(input: { prompt: $prompt, userId: $user, routing: { order: ["openai"] } }) {
    ... on ChatSuccess { request { id traceId } routing { attempts { outcome } } }
  }
}`;

test('one trace goes from the door of a chat to each of its calls, through both doors, and tells no secret', async () => {
  const collector = await startCollector();
  await using service = await startService({
    STORE: 'memory',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary-credential',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  });
  const first = 'openai';
  const { errors } = await service.ask(
    `mutation { simulateFailure(input: { providerId: "${first}", mode: ERROR }) { __typename } }`,
  );
  expect(errors).toBeUndefined();

  const post = (path: string, body: object) =>
    fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: TRACEPARENT },
      body: JSON.stringify(body),
    });
  const graphql = await (await post('/graphql', { query: CHAT, variables: { prompt: PROMPT, user: USER } })).json();
  const { request, routing } = graphql.data.chat;
  expect(routing.attempts).toHaveLength(2);
  // The caller's own trace goes on, and the log of requests knows it.
  expect(request.traceId).toBe(CALLERS_TRACE);
  await post('/v1/chat/completions', {
    model: 'auto',
    user: USER,
    messages: [{ role: 'user', content: PROMPT }],
    provider: { order: [first] },
  });

  const ofDoor = (name: string) => {
    const door = collector.spans.find((span) => span.name === name && span.traceId === CALLERS_TRACE);
    if (door === undefined) return [];
    return [{ ...door, parentId: '' }, ...collector.spans.filter((span) => span.parentId === door.spanId)];
  };
  await expect.poll(() => ofDoor('POST /v1/chat/completions').length, { timeout: 20_000 }).toBe(8);
  const spans = ofDoor('POST /graphql');
  const tree = treeOf(spans);
  expect(tree).toEqual(treeOf(ofDoor('POST /v1/chat/completions')).with(0, 'SERVER POST /graphql'));
  // The document shows what came here.
  const [, shown] = /```text\n(SERVER POST \/graphql\n[^`]*)\n```/.exec(readFileSync(DOCS, 'utf8')) ?? [];
  expect(shown?.split('\n')).toEqual(tree);

  const [failed, answered] = spans
    .filter((span) => span.kind === 'CLIENT')
    .toSorted((one, other) => one.startNs - other.startNs);
  expect(failed?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': first,
    'switchyard.attempt': 1,
    'error.type': 'providerError',
    'switchyard.simulated': true,
  });
  expect(answered?.attributes).toMatchObject({
    'switchyard.attempt': 2,
    'gen_ai.request.stream': false,
    'gen_ai.usage.input_tokens': expect.any(Number),
    'gen_ai.response.finish_reasons': ['stop'],
  });
  expect(spans[0]?.attributes).toMatchObject({
    'graphql.operation.type': 'mutation',
    'graphql.operation.name': 'Ask',
    'http.response.status_code': 200,
  });
  expect(spans.find(({ name }) => name === 'route')?.events.length).toBeGreaterThan(1);
  expect(collector.resource).toMatchObject({ 'service.name': 'switchyard', 'deployment.environment.name': 'test' });

  // Figures come under their own names, as they stand at /metrics.
  const figureOf = (name: string) => collector.figures.filter((figure) => figure.name === name);
  await expect
    .poll(() => figureOf('switchyard.requests').filter(({ value }) => value > 0), { timeout: 20_000 })
    .toMatchObject([{ value: 1 }, { value: 1 }]);
  expect(figureOf('gen_ai.client.operation.duration')[0]).toMatchObject({
    unit: 's',
    attributes: { 'gen_ai.operation.name': 'chat' },
    bounds: expect.arrayContaining([0.01, 81.92]),
  });

  const lines = service.logged().filter((line) => line.msg === 'operation' && line.trace_id === CALLERS_TRACE);
  expect(lines.map(({ span_id }) => span_id)).toEqual([
    spans[0]?.spanId,
    ofDoor('POST /v1/chat/completions')[0]?.spanId,
  ]);

  for (const { headers, bytes } of collector.bodies) {
    expect(headers.authorization).toBe('Bearer canary-credential');
    for (const secret of [PROMPT, USER, 'plum pudding', 'canary']) expect(bytes.includes(secret)).toBe(false);
  }
  expect(service.printed()).not.toContain('canary-credential');

  // Without its collector the service goes on as before, says so once for each signal, and stops in time.
  await collector[Symbol.asyncDispose]();
  const away = () => service.logged().filter((line) => line.msg === 'telemetry does not reach its collector');
  await service.ask('{ providers { key } }');
  await expect
    .poll(
      () =>
        away()
          .map(({ signal }) => signal)
          .toSorted(),
      { timeout: 30_000 },
    )
    .toEqual(['metrics', 'traces']);
  expect((await service.ask('{ providers { key } }')).errors).toBeUndefined();
  expect(await service.end('SIGTERM')).toBe(0);
  expect(away()).toHaveLength(2);
});
