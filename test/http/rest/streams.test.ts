import { describe, expect, test } from 'vitest';
import type { Delta } from '../../../src/core/delta.ts';
import { providerKey, requestId } from '../../../src/core/ids.ts';
import type { StreamCall } from '../../../src/gateway/gateway.ts';
import type { StreamEvent } from '../../../src/gateway/stream-log.ts';
import { DECISION } from '../../fakes/gateway-data.ts';
import { type Service, startService } from '../running-server.ts';
import { chunksOf, post } from './rest-kit.ts';
import { ended, failed, hold, play, STREAM, started, text, WITH_USAGE } from './stream-kit.ts';

test('a stream is told byte by byte as OpenAI tells it', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), text('Hel'), text('lo\r\n'), ended(service, call)]);
  const response = await post(service, WITH_USAGE);
  const id = response.headers.get('x-request-id');
  const start = `{"id":"${id}","object":"chat.completion.chunk","created":1767225600,"model":"gpt-5.1","provider":"openai","choices":[`;
  const usage = `{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":1},"cost":0.0123}`;
  expect(await response.text()).toBe(
    [
      `data: ${start}{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null,"logprobs":null}],"usage":null}`,
      `data: ${start}{"index":0,"delta":{"content":"lo\\r\\n"},"finish_reason":null,"logprobs":null}],"usage":null}`,
      `data: ${start}{"index":0,"delta":{},"finish_reason":"stop","logprobs":null}],"usage":null,"warnings":["seed was ignored"]}`,
      `data: ${start}],"usage":${usage}}`,
      'data: [DONE]',
      '',
    ].join('\n\n'),
  );
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-switchyard-provider': 'openai',
    'x-switchyard-model': 'gpt-5.1',
    'x-switchyard-attempts': '1',
  });
  expect(response.headers.has('x-switchyard-cost-usd')).toBe(false);
});

test('without include_usage no chunk says anything of usage', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), text('Hello'), ended(service, call)]);
  const chunks = chunksOf(await (await post(service, STREAM)).text());
  expect(chunks).toHaveLength(2);
  for (const chunk of chunks) expect(chunk).not.toHaveProperty('usage');
});

test('thinking and tool calls come as pieces of their own', async () => {
  await using service = await startService();
  const deltas: readonly Delta[] = [
    { kind: 'reasoning', text: 'hm' },
    { kind: 'toolCall', index: 0, id: 'c1', name: 'look', argumentsChunk: null },
    { kind: 'toolCall', index: 0, id: null, name: null, argumentsChunk: '{"at":' },
    { kind: 'toolCall', index: 1, id: 'c2', name: 'go', argumentsChunk: '{}' },
  ];
  play(service, (call) => [
    started(call),
    ...deltas.map((delta) => ({ kind: 'delta', delta }) as const),
    ended(service, call),
  ]);
  const chunks = chunksOf(await (await post(service, STREAM)).text());
  expect(chunks.map(({ choices }) => choices[0].delta)).toEqual([
    { role: 'assistant', reasoning_content: 'hm' },
    { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"at":' } }] },
    { tool_calls: [{ index: 1, id: 'c2', type: 'function', function: { name: 'go', arguments: '{}' } }] },
    {},
  ]);
});

test('an answer without a piece still says who speaks, and why it stopped', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), ended(service, call)]);
  const chunks = chunksOf(await (await post(service, STREAM)).text());
  expect(chunks.map(({ choices }) => choices)).toMatchObject([
    [{ delta: { role: 'assistant' }, finish_reason: 'stop' }],
  ]);
});

test('pieces name the provider that took over, and the request that a stream was joined to', async () => {
  await using service = await startService();
  const first = requestId('019b76a1-0000-7000-8000-000000000000');
  play(service, (call) => [
    { ...started(call), requestId: first } as StreamEvent,
    { kind: 'rerouted', failed: DECISION.attempts[0]!, provider: providerKey('google'), model: 'gemini-pro' },
    text('Hello'),
    ended(service, call),
  ]);
  const response = await post(service, STREAM);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-switchyard-provider': 'google',
    'x-switchyard-model': 'gemini-pro',
    'x-switchyard-attempts': '2',
    'x-switchyard-replayed': 'true',
  });
  const [chunk] = chunksOf(await response.text());
  expect(chunk).toMatchObject({ id: `req_${first}`, model: 'gemini-pro', provider: 'google' });
});

test('the whole decision comes with the last chunk, to those who ask for it', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), text('Hello'), ended(service, call)]);
  const headers = { 'x-switchyard-metadata': 'enabled' };
  for (const body of [STREAM, WITH_USAGE]) {
    const chunks = chunksOf(await (await post(service, body, { headers })).text());
    expect(chunks.map((chunk) => 'gateway' in chunk)).toEqual([...chunks.slice(1).map(() => false), true]);
    expect(chunks.at(-1).gateway).toMatchObject({ routing: { policy: 'balanced-1' }, cost: { total_usd: '0.0123' } });
  }
});

describe('a failure before the first piece', () => {
  test.each([
    ['budgetExceeded', 402],
    ['rateLimited', 429],
    ['allProvidersFailed', 502],
    ['noProviderAvailable', 503],
    ['timedOut', 504],
  ] as const)('has the status that it has without a stream: %s', async (kind, status) => {
    await using service = await startService();
    play(service, (call) => [started(call), failed(service, call, kind)]);
    const response = await post(service, STREAM);
    expect([response.status, response.headers.get('content-type'), response.headers.get('retry-after-ms')]).toEqual([
      status,
      'application/json; charset=utf-8',
      '1501',
    ]);
    expect(JSON.parse(await response.text()).error.message).toBe('what happened');
  });

  test('has it also when it is a bug', async () => {
    await using service = await startService();
    hold(service).tell(new Error('a bug'));
    const response = await post(service, STREAM);
    expect([response.status, JSON.parse(await response.text()).error.code]).toEqual([500, 'internal']);
  });
});

/** No answer, and what the attempts cost. */
const SPENT = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cost: 0.0123 };

test('who reads too slowly is told what becomes of the request, which depends on its key', async () => {
  const lost = async (headers: Record<string, string>) => {
    await using service = await startService();
    hold(service).tell('lost');
    return JSON.parse(await (await post(service, STREAM, { headers })).text()).error.message;
  };
  expect(await lost({})).toMatch(/so it was stopped, unless it had ended/);
  expect(await lost({ 'idempotency-key': 'k' })).toMatch(/runs on: send it again .* without stream/);
});

describe('a failure after the first piece', () => {
  test.each<[what: string, next: (service: Service, call: StreamCall) => StreamEvent | 'lost' | Error, code: string]>([
    [
      'a provider that breaks off',
      (service, call) => failed(service, call, 'allProvidersFailed'),
      'all_providers_failed',
    ],
    ['time', (service, call) => failed(service, call, 'timedOut'), 'timed_out'],
    ['a reader that is too slow', () => 'lost', 'stream_lost'],
    ['a bug', () => new Error('a bug'), 'internal'],
  ])('is a chunk with an error, then the end: %s', async (_what, next, code) => {
    await using service = await startService();
    const stream = hold(service);
    const answering = post(service, WITH_USAGE, { headers: { 'x-switchyard-metadata': 'enabled' } });
    const call = await stream.begun;
    stream.tell(started(call), text('Hel'));
    const response = await answering;
    expect(response.status).toBe(200);
    stream.tell(next(service, call));
    const body = await response.text();
    const chunks = chunksOf(body);
    expect(chunks).toHaveLength(2);
    expect(chunks[1]).toMatchObject({
      object: 'chat.completion.chunk',
      model: 'gpt-5.1',
      choices: [{ index: 0, delta: {}, finish_reason: 'error' }],
      error: { code, param: null, message: expect.any(String), type: 'server_error' },
      usage: code === 'all_providers_failed' || code === 'timed_out' ? SPENT : null,
    });
    expect(body.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
    await stream.left;
    expect(service.log.find(({ msg }) => msg === 'operation')).toMatchObject({
      operation: 'chatStream',
      status: 200,
      errors: 1,
    });
  });
});
