import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Service, startService } from '../support/running.ts';

const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatSuccess { content modelName provider { key kind } usage { inputTokens outputTokens source }
    cost { totalUsd inputUsd outputUsd } finishReason routing { attempts { provider { key } outcome httpStatus } } }
  ... on ApiError { code message retryable retryAfterMs } } }`;

/** A wire-faithful fake of the vendors' APIs that this project did not write. */
let upstream: LLMock;
let service: Service;

beforeAll(async () => {
  upstream = new LLMock({ port: 0 });
  const usage = { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 };
  upstream.onMessage('How do trains', { content: 'On rails.', usage });
  await upstream.start();
  service = await startService({
    STORE: 'memory',
    OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    SIMULATIONS: 'on',
  });
});

afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await upstream.stop();
});

const ask = async (input: object) =>
  (await service.ask(CHAT, { input: { prompt: 'How do trains run?', ...input } })).data;

test('a key makes the provider real: its answer comes back, counted and paid for by its price list', async () => {
  expect(service.said()).toMatch(/openai +real at http:\/\/127\.0\.0\.1/);
  expect(service.said()).toMatch(/google +mock/);
  expect(service.said()).toContain('prices are demonstration figures');
  expect(await ask({ routing: { only: ['openai'] }, userId: 'ann' })).toEqual({
    chat: {
      __typename: 'ChatSuccess',
      content: 'On rails.',
      modelName: 'gpt-5.1',
      provider: { key: 'openai', kind: 'OPENAI' },
      usage: { inputTokens: 20, outputTokens: 10, source: 'REPORTED' },
      cost: { totalUsd: '0.0006', inputUsd: '0.0004', outputUsd: '0.0002' },
      finishReason: 'STOP',
      routing: { attempts: [{ provider: { key: 'openai' }, outcome: 'SUCCEEDED', httpStatus: null }] },
    },
  });
});

test('when it says 429 the next provider answers, and it is left alone as long as it asked', async () => {
  upstream.nextRequestError(429, { message: 'slow down', type: 'rate_limit_error' });
  const rescued = await ask({ routing: { order: ['openai'] } });
  expect(rescued).toMatchObject({
    chat: {
      __typename: 'ChatSuccess',
      routing: {
        attempts: [{ provider: { key: 'openai' }, outcome: 'RATE_LIMITED', httpStatus: 429 }, { outcome: 'SUCCEEDED' }],
      },
    },
  });
  expect(await ask({ routing: { only: ['openai'] } })).toMatchObject({
    chat: { code: 'RATE_LIMITED', retryable: true },
  });
});

test('when it fails the whole answer says so, and nothing of its key leaks', async () => {
  // Forgets that it asked us to wait.
  await service.ask('mutation { resetBreaker(input: {providerId: "openai"}) { __typename } }');
  upstream.nextRequestError(500, { message: 'broken with sk-test-0123456789abcdef', type: 'server_error' });
  const failed = await ask({ routing: { only: ['openai'] } });
  expect(failed).toMatchObject({
    chat: { __typename: 'AllProvidersFailedError', code: 'ALL_PROVIDERS_FAILED', retryable: true },
  });
  expect(JSON.stringify(failed)).not.toContain('sk-test-0123456789abcdef');
  expect(service.said() + JSON.stringify(service.logged())).not.toContain('sk-test-0123456789abcdef');
});
