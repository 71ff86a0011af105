import { describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../../src/core/unavailable.ts';
import { answered, COST, endingsAt, TIMING } from '../../fakes/gateway-data.ts';
import { PRICED } from '../../gateway/priced-registry.ts';
import { raw } from '../raw.ts';
import { startService } from '../running-server.ts';
import { CHAT, EXPLAINED, openService, operationsOf, oursOf, post, said } from './rest-kit.ts';

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
  expect(oursOf(response.headers)).toMatchObject({
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

test('what a provider finds wrong with a request is wrong with it here, and is not sent again', async () => {
  await using service = await openService({ registry: PRICED });
  const rejected = { kind: 'fail', failure: { kind: 'rejected', httpStatus: 400 } } as const;
  service.kit.provider('a').script(rejected, rejected);
  const response = await post(service, said('hi', { provider: { only: ['a'] } }), { headers: EXPLAINED });
  const { error, gateway } = JSON.parse(await response.text());
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([400, 'false']);
  expect(error).toMatchObject({ type: 'invalid_request_error', code: 'all_providers_failed' });
  expect(gateway.routing.attempts).toMatchObject([{ outcome: 'rejected' }]);

  const whenStreamed = await post(service, said('hi', { provider: { only: ['a'] }, stream: true }));
  expect(whenStreamed.status).toBe(400);
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
    expect(oursOf(response.headers)).toEqual({
      'x-should-retry': 'true',
      'retry-after': '1',
      'retry-after-ms': '1000',
    });
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
  [
    'a type in capitals',
    { body: '[]', headers: { 'content-type': 'Application/JSON' } },
    400,
    'bad_request',
    /one JSON/,
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
