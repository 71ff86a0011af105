import { describe, expect, test } from 'vitest';
import { requestId } from '../../../src/core/ids.ts';
import { StoreUnavailable } from '../../../src/core/unavailable.ts';
import { answered, COST, endingsAt, TIMING, usd } from '../../fakes/gateway-data.ts';
import { raw } from '../raw.ts';
import { type Service, startService } from '../running-server.ts';
import { CHAT, post, said } from './rest-kit.ts';

const EXPLAINED = { 'x-switchyard-metadata': 'enabled' };

/** All headers of ours that an answer has. */
function ours(headers: Headers): Record<string, string> {
  const names = /^(x-switchyard|x-should|retry-after|server-timing)/;
  return Object.fromEntries([...headers].filter(([name]) => names.test(name)));
}

function operationsOf(service: Service) {
  return service.log.filter(({ msg }) => msg === 'operation');
}

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
  expect(ours(response.headers)).toEqual({
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
  for (const name of Object.keys(ours(response.headers))) expect(exposed).toContain(name);
  expect(service.gateway.records).toMatchObject([{ door: 'rest', modelRequested: 'smart', userId: 'ann' }]);
});

test('a cost is written with all its digits', async () => {
  await using service = await startService();
  const total = usd('123456.123456789012');
  service.gateway.onChat = (call) => ({ ...answered(call, service.gateway.now()), cost: { ...COST, total } });
  expect(await (await post(service, said('hi'))).text()).toContain('"cost":123456.123456789012');
});

test('every reason to stop is said as OpenAI says it, and a declined answer says why', async () => {
  await using service = await startService();
  const reasonFor = async (finishReason: 'stop' | 'length' | 'toolCalls' | 'contentFilter') => {
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
  const response = await post(service, said('hi'), { headers: { 'x-switchyard-dry-run': 'true' } });
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
  const blocked = await post(service, said('hi'), { headers: { 'x-switchyard-dry-run': 'true' } });
  expect(JSON.parse(await blocked.text())).toMatchObject({ model: null, blocked_by: { code: 'rate_limited' } });
  expect(gateway.records).toEqual([]);
});

test.each([
  ['budgetExceeded', 402, 'insufficient_quota', 'budget_exceeded', null],
  ['costLimitTooLow', 400, 'invalid_request_error', 'cost_limit_too_low', 'max_cost_usd'],
  ['rateLimited', 429, 'rate_limit_error', 'rate_limited', null],
  ['noProviderAvailable', 503, 'server_error', 'no_provider_available', null],
  ['allProvidersFailed', 502, 'server_error', 'all_providers_failed', null],
  ['timedOut', 504, 'server_error', 'timed_out', null],
] as const)('%s is answered as %d', async (kind, status, type, code, param) => {
  await using service = await startService();
  const why = endingsAt(service.gateway.now())[kind];
  service.gateway.onChat = (call) => {
    const { routing } = answered(call, service.gateway.now());
    return { kind: 'ended', requestId: call.requestId, why, routing, cost: COST, timing: TIMING };
  };
  const response = await post(service, said('hi'));
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ error: { message: 'what happened', type, param, code } });
  expect(ours(response.headers)).toMatchObject({
    'x-should-retry': 'true',
    'retry-after': '2',
    'retry-after-ms': '1501',
    'x-switchyard-attempts': '1',
    'x-switchyard-cost-usd': '0.0123',
  });
  expect(response.headers.has('x-switchyard-provider')).toBe(false);
  const told = await post(service, said('hi'), { headers: EXPLAINED });
  expect(JSON.parse(await told.text()).gateway.routing.attempts).toHaveLength(1);
  expect(operationsOf(service)[0]).toMatchObject({ door: 'rest', status, errors: 1, operation: 'chat' });
});

test('who must not ask again is told so', async () => {
  await using service = await startService();
  const why = { ...endingsAt(service.gateway.now()).budgetExceeded, isRetryable: false, retryAfterMs: null };
  service.gateway.onChat = (call) => {
    const { routing } = answered(call, service.gateway.now());
    return { kind: 'ended', requestId: call.requestId, why, routing, cost: COST, timing: TIMING };
  };
  const response = await post(service, said('hi'));
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(response.headers.has('retry-after')).toBe(false);
});

test('a field of the other door is called by its name here', async () => {
  await using service = await startService();
  const message = 'Try again, or allow more with timeoutMs; routing.attempts says how each ended.';
  const why = {
    kind: 'timedOut',
    code: 'TIMED_OUT',
    message,
    isRetryable: true,
    retryAfterMs: null,
    timeoutMs: 1,
  } as const;
  service.gateway.onChat = (call) => ({ kind: 'notRun', requestId: call.requestId, why });
  const { error } = JSON.parse(await (await post(service, said('hi'))).text());
  expect(error.message).toBe(
    'Try again, or allow more with timeout_ms; gateway.routing.attempts (with x-switchyard-metadata: enabled) says how each ended.',
  );
});

describe('what breaks', () => {
  test('a bug is masked, and the log has it under the id that is told', async () => {
    await using service = await startService();
    service.gateway.onChat = () => {
      throw new Error('the secret of the house');
    };
    const response = await post(service, said('hi'));
    const id = response.headers.get('x-request-id');
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([500, 'false']);
    expect(await response.json()).toEqual({
      error: {
        message: `Unexpected error. The log has more under ${id}.`,
        type: 'server_error',
        param: null,
        code: 'internal',
      },
    });
    expect(service.log.find(({ level }) => level === 'error')).toMatchObject({
      requestId: id,
      error: 'the secret of the house',
    });
  });

  test('a store that is away may be asked again', async () => {
    await using service = await startService();
    service.gateway.onChat = () => {
      throw new StoreUnavailable('host db-1 does not answer');
    };
    const response = await post(service, said('hi'));
    expect(response.status).toBe(503);
    expect(ours(response.headers)).toEqual({ 'x-should-retry': 'true', 'retry-after': '1', 'retry-after-ms': '1000' });
    expect(JSON.parse(await response.text()).error).toMatchObject({ type: 'server_error', code: 'store_unavailable' });
  });
});

test.each<[what: string, of: Parameters<typeof raw>[1], status: number, code: string, message: RegExp]>([
  ['no JSON', { body: '{', headers: jsonType() }, 400, 'bad_request', /not valid JSON/],
  ['a list', { body: '[]', headers: jsonType() }, 400, 'bad_request', /one JSON object/],
  ['no type', { body: '{}' }, 415, 'unsupported_media_type', /application\/json/],
  [
    'a form',
    { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'unsupported_media_type',
    /not "application\/x-www/,
  ],
  [
    'a packed body',
    { body: 'x', headers: { ...jsonType(), 'content-encoding': 'gzip' } },
    415,
    'unsupported_media_type',
    /without a content-encoding/,
  ],
  ['too much', { body: ' '.repeat(1_000_001), headers: jsonType() }, 413, 'body_too_large', /at most 1000000/],
  ['another method', { method: 'GET' }, 405, 'method_not_allowed', /Use POST/],
  ['another path', { path: '/v1/embeddings', method: 'POST', body: '{}' }, 404, 'not_found', /\/v1\/models lists/],
  ['no model', { path: '/v1/models/nobody', method: 'GET' }, 404, 'not_found', /No model answers to "nobody"/],
  ['posted models', { path: '/v1/models', body: '{}' }, 405, 'method_not_allowed', /GET, HEAD/],
])('%s is refused in the same envelope', async (_what, of, status, code, message) => {
  await using service = await startService();
  const response = await raw(service, { path: CHAT, ...of });
  const { error } = JSON.parse(response.text);
  expect([response.status, error.code, error.type, error.param]).toEqual([status, code, 'invalid_request_error', null]);
  expect(error.message).toMatch(message);
  expect(response.headers).toMatchObject({ 'x-should-retry': 'false', 'x-request-id': expect.stringMatching(/^req_/) });
});

function jsonType() {
  return { 'content-type': 'application/json' };
}

test('problems of a body are told together, the first one as param', async () => {
  await using service = await startService();
  const response = await post(service, said('hi', { n: 2, temperature: 9 }));
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    error: {
      message: 'n: must be 1: for more answers send more requests; temperature: must be from 0 to 2, got 9',
      type: 'invalid_request_error',
      param: 'n',
      code: 'invalid_input',
    },
  });
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

describe('a replica with no room', () => {
  test('sends chats away, to be sent again', async () => {
    await using service = await startService({ inFlightMax: 1 });
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    service.gateway.onChat = async (call) => {
      begun.resolve();
      await finish.promise;
      return answered(call, service.gateway.now());
    };
    const running = post(service, said('hi'));
    await begun.promise;
    const refused = await post(service, said('hi'));
    expect([refused.status, refused.headers.get('x-should-retry'), refused.headers.get('retry-after-ms')]).toEqual([
      503,
      'true',
      '1000',
    ]);
    expect(JSON.parse(await refused.text()).error).toMatchObject({ code: 'overloaded', type: 'server_error' });
    expect((await raw(service, { method: 'GET', path: '/v1/models' })).status).toBe(503);
    finish.resolve();
    expect((await running).status).toBe(200);
    expect((await post(service, said('hi'))).status).toBe(200);
  });

  test('that shuts down finishes what runs, and refuses what is new', async () => {
    await using service = await startService();
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    service.gateway.onChat = async (call) => {
      begun.resolve();
      await finish.promise;
      return answered(call, service.gateway.now());
    };
    const running = post(service, said('hi'));
    await begun.promise;
    const drained = service.server.drain(30_000);
    const refused = await raw(service, { path: CHAT, headers: jsonType(), body: JSON.stringify(said('hi')) });
    expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([503, 'shutting_down']);
    expect(refused.headers).toMatchObject({ connection: 'close', 'retry-after': '1', 'x-should-retry': 'true' });
    finish.resolve();
    const finished = await running;
    expect([finished.status, finished.headers.get('connection')]).toEqual([200, 'close']);
    await drained;
  });
});

test('a caller who hangs up is heard of', async () => {
  await using service = await startService();
  const heard = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  service.gateway.onChat = async (call) => {
    call.signal.addEventListener('abort', () => heard.resolve());
    begun.resolve();
    await heard.promise;
    return answered(call, service.gateway.now());
  };
  const leave = new AbortController();
  const running = post(service, said('hi'), { signal: leave.signal });
  await begun.promise;
  leave.abort();
  await expect(running).rejects.toThrow();
  await heard.promise;
});
