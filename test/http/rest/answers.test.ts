import { describe, expect, test } from 'vitest';
import { requestId } from '../../../src/core/ids.ts';
import type { FinishReason } from '../../../src/core/prompt.ts';
import type { ChatCall } from '../../../src/gateway/gateway.ts';
import { answered, COST, endingsAt, usd } from '../../fakes/gateway-data.ts';
import { raw } from '../raw.ts';
import { startService } from '../running-server.ts';
import { CHAT, chunksOf, EXPLAINED, operationsOf, oursOf, post, said } from './rest-kit.ts';

const DRY = { 'x-switchyard-dry-run': 'true' };

test('an answer has the shape of a chat completion, with who answered and what it cost', async () => {
  await using service = await startService();
  const response = await post(service, said('hi', { model: 'smart', user: 'ann' }));
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    id: response.headers.get('x-request-id'),
    object: 'chat.completion',
    created: Date.UTC(2026, 0, 1) / 1_000,
    model: 'gpt-5.1',
    provider: 'openai',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'echo: hi', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 1 },
      cost: 0.0123,
    },
    warnings: ['seed was ignored'],
  });
  expect(oursOf(response.headers)).toEqual({
    'x-switchyard-provider': 'openai',
    'x-switchyard-model': 'gpt-5.1',
    'x-switchyard-attempts': '1',
    'x-switchyard-route': 'openai/gpt-5.1 answered a code prompt; best of 1, 1 refused.',
    'x-switchyard-cost-usd': '0.0123',
    'x-switchyard-budget-remaining-usd': '0.9877',
    'x-switchyard-overhead-ms': '2.4',
    'server-timing': 'total;dur=212.4, upstream;dur=210, overhead;dur=2.4',
  });
  const exposed = response.headers.get('access-control-expose-headers')?.split(', ') ?? [];
  for (const name of Object.keys(oursOf(response.headers))) expect(exposed).toContain(name);
  expect(service.gateway.records).toMatchObject([{ door: 'rest', modelRequested: 'smart', userId: 'ann' }]);
});

test('warnings speak in the words of this door, whole and in a stream', async () => {
  await using service = await startService();
  const warnings = ['topP was not sent: m does not support it.'];
  const outcomeOf = (call: ChatCall) => ({ ...answered(call, service.gateway.now()), warnings });
  service.gateway.onChat = outcomeOf;
  service.gateway.onStream = (call) => [
    { sequence: 0, event: { kind: 'ended', outcome: outcomeOf({ ...call, onDelta: null }) } },
  ];
  const body = { messages: [{ role: 'user', content: 'hi', name: 'ann' }] };
  const whole = JSON.parse(await (await post(service, body)).text());
  const [last] = chunksOf(await (await post(service, { ...body, stream: true })).text());
  for (const told of [whole, last]) {
    expect(told.warnings).toEqual([
      'messages[].name was not sent: Switchyard does not pass it on.',
      'top_p was not sent: m does not support it.',
    ]);
  }
});

test('a cost is written with all its digits', async () => {
  await using service = await startService();
  const total = usd('123456.123456789012');
  service.gateway.onChat = (call) => ({ ...answered(call, service.gateway.now()), cost: { ...COST, total } });
  expect(await (await post(service, said('hi'))).text()).toContain('"cost":123456.123456789012');
});

test('every reason to stop that OpenAI knows is said as it says it, and a declined answer says why', async () => {
  await using service = await startService();
  const reasonFor = async (finishReason: FinishReason) => {
    service.gateway.onChat = (call) => {
      const outcome = answered(call, service.gateway.now());
      return { ...outcome, answer: { ...outcome.answer, text: null, refusal: 'No.', finishReason } };
    };
    const { choices } = JSON.parse(await (await post(service, said('hi'))).text());
    expect(choices[0].message).toEqual({ role: 'assistant', content: null, refusal: 'No.' });
    return choices[0].finish_reason;
  };
  expect(await reasonFor('stop')).toBe('stop');
  expect(await reasonFor('length')).toBe('length');
  expect(await reasonFor('toolCalls')).toBe('tool_calls');
  expect(await reasonFor('contentFilter')).toBe('content_filter');
  // Not a word of OpenAI's: nothing that it has says that an answer went wrong.
  expect(await reasonFor('error')).toBe('error');
});

test('tool calls and likelihoods are told as OpenAI tells them', async () => {
  await using service = await startService();
  const logprobs = { content: [{ token: 'hi', logprob: -0.1, bytes: [104, 105], top_logprobs: [] }], refusal: null };
  service.gateway.onChat = (call) => {
    const outcome = answered(call, service.gateway.now());
    const toolCalls = [{ id: 'c1', name: 'look', arguments: '{"at":1}' }];
    return { ...outcome, answer: { ...outcome.answer, text: null, toolCalls, logprobs, finishReason: 'toolCalls' } };
  };
  const { choices } = JSON.parse(await (await post(service, said('hi'))).text());
  const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } };
  expect(choices).toEqual([
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, tool_calls: [call] },
      logprobs,
      finish_reason: 'tool_calls',
    },
  ]);
});

test('a route that does not fit into a header is shortened, and what is not ASCII is left out', async () => {
  await using service = await startService();
  service.gateway.onChat = (call) => {
    const outcome = answered(call, service.gateway.now());
    return { ...outcome, routing: { ...outcome.routing, summary: `für ${'x'.repeat(200)}` } };
  };
  const route = (await post(service, said('hi'))).headers.get('x-switchyard-route');
  expect(route).toBe(`f?r ${'x'.repeat(116)}`);
});

test('the whole decision is told to those who ask for it', async () => {
  await using service = await startService();
  const { gateway } = JSON.parse(await (await post(service, said('hi'), { headers: EXPLAINED })).text());
  expect(gateway).toMatchObject({
    routing: {
      summary: 'openai/gpt-5.1 answered a code prompt; best of 1, 1 refused.',
      classification: { category: 'code', confidence: 0.8 },
      candidates: [
        { provider: 'openai', rank: 1, rejection: null, estimated_cost_usd: '0.01' },
        { provider: 'google', rank: null, rejection: { reason: 'rate_limited', detail: 'used up', until: null } },
      ],
      attempts: [{ number: 1, outcome: 'succeeded', http_status: 200, cost_usd: '0.0123', counted_by_breaker: true }],
    },
    timing: { total_ms: 212.4, time_to_first_token_ms: null },
    cost: { total_usd: '0.0123', reserved_usd: '0.05', price_list_version: '2026-01-01' },
    replayed: false,
  });
});

test('an answer that is told again names the first request, and no budget of today', async () => {
  await using service = await startService();
  const first = requestId('019b76a1-0000-7000-8000-000000000000');
  service.gateway.onChat = (call) => ({
    ...answered(call, service.gateway.now()),
    requestId: first,
    isReplayed: true,
  });
  const response = await post(service, said('hi', { user: 'ann' }), { headers: { 'idempotency-key': 'k' } });
  expect(JSON.parse(await response.text()).id).toBe(`req_${first}`);
  expect(response.headers.get('x-switchyard-replayed')).toBe('true');
  expect(response.headers.has('x-switchyard-budget-remaining-usd')).toBe(false);
});

test('a dry run tells the plan, and runs nothing', async () => {
  await using service = await startService();
  const response = await post(service, said('hi'), { headers: DRY });
  expect([response.status, JSON.parse(await response.text())]).toMatchObject([
    200,
    {
      object: 'chat.completion.preview',
      model: 'gpt-5.1',
      provider: 'openai',
      blocked_by: null,
      estimated_input_tokens: 12,
      reservation_usd: '0.05',
      gateway: { routing: { attempts: [] } },
    },
  ]);
  const { gateway } = service;
  const blockedBy = endingsAt(gateway.now()).rateLimited;
  const { onPreview } = gateway;
  gateway.onPreview = (call) => ({ ...onPreview(call), selected: null, blockedBy });
  const blocked = await post(service, said('hi'), { headers: DRY });
  expect(JSON.parse(await blocked.text())).toMatchObject({ model: null, blocked_by: { code: 'rate_limited' } });
  expect(gateway.records).toEqual([]);
});

test('a dry run of a stream is the plan of a stream', async () => {
  await using service = await startService();
  const { gateway } = service;
  const { onPreview } = gateway;
  const streamed: boolean[] = [];
  gateway.onPreview = (call) => {
    streamed.push(call.onDelta !== null);
    return onPreview(call);
  };
  for (const stream of [false, true]) await post(service, said('hi', { stream }), { headers: DRY });
  expect(streamed).toEqual([false, true]);
});

test('both paths are the same door', async () => {
  await using service = await startService();
  const response = await post(service, said('hi'), { path: '/chat/completions' });
  expect(JSON.parse(await response.text()).object).toBe('chat.completion');
});

describe('the models', () => {
  test('are listed by their exact names, the choice among all first', async () => {
    await using service = await startService();
    const response = await raw(service, { method: 'GET', path: '/v1/models' });
    expect(operationsOf(service)).toMatchObject([{ door: 'rest', operation: 'models', kind: 'query', status: 200 }]);
    const model = { object: 'model', created: 0 };
    expect(JSON.parse(response.text)).toEqual({
      object: 'list',
      data: [
        { ...model, id: 'auto', owned_by: 'switchyard' },
        { ...model, id: 'gpt-5.1', owned_by: 'openai' },
        { ...model, id: 'gemini-pro', owned_by: 'google' },
      ],
    });
  });

  test.each([
    ['auto', 'switchyard'],
    ['gpt-5.1', 'openai'],
    ['smart', 'openai'],
    ['google/gemini-pro', 'google'],
    ['google%2Fgemini-pro', 'google'],
  ])('%s is one, of %s', async (id, owner) => {
    await using service = await startService();
    const response = await raw(service, { method: 'GET', path: `/v1/models/${id}` });
    expect(JSON.parse(response.text)).toMatchObject({ id: decodeURIComponent(id), owned_by: owner });
  });
});

test('a client that sends it again by itself is noted, with its own name for the request', async () => {
  await using service = await startService();
  await post(service, said('a prompt'), { headers: { 'x-stainless-retry-count': '2', 'x-request-id': 'mine-1' } });
  await post(service, said('a prompt'), { headers: { 'x-stainless-retry-count': '0' } });
  const [again, first] = operationsOf(service);
  expect(again).toMatchObject({ door: 'rest', status: 200, clientRetry: 2, clientRequestId: 'mine-1', errors: 0 });
  expect(first).not.toHaveProperty('clientRetry');
  expect(JSON.stringify(service.log)).not.toContain('a prompt');
});

test('the index names both doors', async () => {
  await using service = await startService();
  const { text } = await raw(service, { method: 'GET', path: '/' });
  expect(JSON.parse(text)).toMatchObject({ graphql: '/graphql', rest: CHAT, models: '/v1/models' });
});
