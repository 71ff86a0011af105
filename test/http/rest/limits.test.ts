import OpenAI, { RateLimitError } from 'openai';
import { describe, expect, test } from 'vitest';
import type { CallerLimits } from '../../../src/core/api-key.ts';
import { PRICED } from '../../gateway/priced-registry.ts';
import { quiet } from '../../support/gateway-kit.ts';
import { callerWith } from '../../support/key-caller.ts';
import { openService, post, said } from './rest-kit.ts';

function open(limits: Partial<CallerLimits>) {
  return openService({ registry: PRICED, as: callerWith(limits) });
}

/** All `x-ratelimit-*` of an answer, without that beginning. */
function limitsIn(headers: Headers): Record<string, string> {
  const found = [...headers].filter(([name]) => name.startsWith('x-ratelimit-'));
  return Object.fromEntries(found.map(([name, value]) => [name.slice('x-ratelimit-'.length), value]));
}

const HI = said('hello there', { max_tokens: 20 });

describe('a key with limits', () => {
  test('is told with each answer how they stand, as the openai client shows it', async () => {
    await using service = await open({ requestsPerMinute: 5, tokensPerMinute: 1_000 });
    const client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: 'none' });
    const asked = { model: 'auto', messages: [{ role: 'user', content: 'hello there' }], max_tokens: 20 } as const;
    const { response } = await client.chat.completions
      .create({ ...asked, messages: [...asked.messages] })
      .withResponse();
    expect(limitsIn(response.headers)).toMatchObject({
      'limit-requests': '5',
      'remaining-requests': '4',
      'limit-tokens': '1000',
      'remaining-tokens': '977',
    });
    expect(response.headers.get('x-ratelimit-reset-requests')).toMatch(/^1m0(\.\d+)?s$/);
    service.kit.clock.advance(59_500);
    const second = await post(service, HI);
    expect(limitsIn(second.headers)).toMatchObject({ 'remaining-requests': '3' });
  });

  test('that is beyond them is told 429, when to come back, and how they stand; the client waits and is served', async () => {
    await using service = await open({ requestsPerMinute: 1 });
    await post(service, HI);
    const refused = await post(service, HI);
    const body = await refused.json();
    const afterMs = Number(refused.headers.get('retry-after-ms'));
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([429, 'true']);
    expect(refused.headers.get('retry-after')).toBe(String(Math.ceil(afterMs / 1_000)));
    expect(body.error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited' });
    expect(body.error.message).toContain('limit of 1 requests a minute');
    expect(limitsIn(refused.headers)).toMatchObject({ 'limit-requests': '1', 'remaining-requests': '0' });
    const client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'hello' }];
    await expect(client.chat.completions.create({ model: 'auto', messages })).rejects.toThrow(RateLimitError);
    service.kit.clock.advance(afterMs);
    expect((await post(service, HI)).status).toBe(200);
  });

  test('is told so before the first byte of a stream, and a stream beyond them has a status of its own', async () => {
    await using service = await open({ requestsPerMinute: 1 });
    const streamed = said('hello there', { stream: true });
    const first = await post(service, streamed);
    expect(limitsIn(first.headers)).toMatchObject({ 'limit-requests': '1', 'remaining-requests': '0' });
    await first.text();
    const second = await post(service, streamed);
    expect(second.status).toBe(429);
    expect(limitsIn(second.headers)).toMatchObject({ 'remaining-requests': '0' });
    expect(service.kit.provider('a').calls).toHaveLength(1);
  });

  test('whose request alone is more than its tokens is told 400, and not to send it again', async () => {
    await using service = await open({ tokensPerMinute: 10 });
    const refused = await post(service, HI);
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([400, 'false']);
    expect((await refused.json()).error).toMatchObject({ code: 'invalid_input' });
  });

  test('counts down to nothing, in the units that OpenAI writes', async () => {
    await using service = await open({ requestsPerMinute: 2 });
    await post(service, HI);
    await quiet();
    const resetAfter = async (ms: number) => {
      service.kit.clock.advance(ms);
      const dry = await post(service, HI, { headers: { 'x-switchyard-dry-run': 'true' } });
      return dry.headers.get('x-ratelimit-reset-requests');
    };
    const whole = /^1m0\.(?<ms>\d+)s$/.exec((await resetAfter(0)) ?? '1m0.0s')?.groups?.ms ?? '0';
    const leftMs = Number(whole.padEnd(3, '0'));
    expect(await resetAfter(30_000)).toBe(`${(30_000 + leftMs) / 1_000}s`);
    expect(await resetAfter(29_950)).toBe(`${50 + leftMs}ms`);
    expect(await resetAfter(1_000)).toBe('0s');
  });
});

test('a caller without limits is told of none', async () => {
  await using service = await openService({ registry: PRICED });
  expect(limitsIn((await post(service, HI)).headers)).toEqual({});
});
