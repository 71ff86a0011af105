import { expect, test } from 'vitest';
import type { ChatOutcome, Unanswered } from '../../src/core/outcome.ts';
import { epochMs } from '../../src/core/time.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import type { ChatCall } from '../../src/gateway/gateway.ts';
import { answered, COST, DECISION, endingsAt, TIMING } from '../fakes/gateway-data.ts';
import { ask, startService } from '../http/running-server.ts';

const NOW = epochMs(Date.UTC(2026, 0, 1));
const ENDINGS = endingsAt(NOW);

function ending(why: Unanswered): (call: ChatCall) => ChatOutcome {
  return (call) => ({ kind: 'ended', requestId: call.requestId, why, routing: DECISION, cost: COST, timing: TIMING });
}

const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) {
  __typename
  ... on ApiError { message code retryable retryAfterMs requestId }
  ... on ChatSuccess {
    content answer: message { role content refusal } finishReason modelName warnings
    provider { key displayName }
    request { id status userId modelRequested }
    usage { inputTokens outputTokens cachedInputTokens reasoningTokens totalTokens source }
    cost { totalUsd inputUsd outputUsd reservedUsd priceListVersion }
    timing { totalMs timeToFirstTokenMs upstreamMs overheadMs }
    routing { summary policy decisionMs
      classification { category confidence signals classifier }
      candidates { provider { key } modelName rank score scoreTerms { name value weight } rejection { reason detail } estimatedCostUsd }
      attempts { number provider { key } outcome durationMs costUsd countedByBreaker } }
    budget { userId limitUsd spentUsd remainingUsd utilization status }
  }
  ... on BudgetExceededError { requiredUsd stood: budget { id limitUsd spentUsd } }
  ... on CostLimitTooLowError { requiredUsd }
  ... on RateLimitedError { rateLimit { limit used remaining windowMs nextAvailableAt } }
  ... on NoProviderAvailableError { routing { summary } }
  ... on AllProvidersFailedError { routing { attempts { outcome } } }
  ... on TimedOutError { timeoutMs }
  ... on InvalidInputError { issues { path message } }
} }`;

test('an answer comes with what it cost, where its time went, and why it was routed as it was', async () => {
  await using service = await startService();
  const { data, headers, extensions } = await ask(service, CHAT, { input: { prompt: 'hi', userId: 'alice' } });
  const id = headers.get('x-request-id');
  expect(extensions.gateway?.requestId).toBe(id);
  expect(data.chat).toMatchObject({
    __typename: 'ChatSuccess',
    content: 'echo: hi',
    answer: { role: 'ASSISTANT', content: 'echo: hi', refusal: null },
    finishReason: 'STOP',
    provider: { key: 'openai', displayName: 'openai for people' },
    request: { id, status: 'SUCCEEDED', userId: 'alice', modelRequested: 'auto' },
    usage: {
      inputTokens: 10,
      outputTokens: 5,
      cachedInputTokens: 2,
      reasoningTokens: 1,
      totalTokens: 15,
      source: 'REPORTED',
    },
    cost: { totalUsd: '0.0123', inputUsd: '0.01', outputUsd: '0.0023', reservedUsd: '0.05' },
    timing: { totalMs: 212, timeToFirstTokenMs: null, upstreamMs: 210, overheadMs: 2.4 },
    budget: {
      userId: 'alice',
      limitUsd: '1.00',
      spentUsd: '0.0123',
      remainingUsd: '0.9877',
      utilization: 0.0123,
      status: 'OK',
    },
    warnings: ['seed was ignored'],
  });
  expect(data.chat.routing.candidates).toMatchObject([
    { provider: { key: 'openai' }, rank: 1, rejection: null, estimatedCostUsd: '0.01' },
    { provider: { key: 'google' }, rank: null, rejection: { reason: 'RATE_LIMITED', detail: 'used up' } },
  ]);
  expect(data.chat.routing.attempts).toEqual([
    {
      number: 1,
      provider: { key: 'openai' },
      outcome: 'SUCCEEDED',
      durationMs: 210,
      costUsd: '0.0123',
      countedByBreaker: true,
    },
  ]);
});

test('nobody in particular has no budget', async () => {
  await using service = await startService();
  const { data } = await ask(service, CHAT, { input: { prompt: 'hi' } });
  expect(data.chat).toMatchObject({ __typename: 'ChatSuccess', budget: null, request: { userId: null } });
});

test.each([
  [
    'BudgetExceededError',
    ENDINGS.budgetExceeded,
    { requiredUsd: '0.40', stood: { id: 'bud_alice', limitUsd: '1.00', spentUsd: '0.90' } },
  ],
  ['CostLimitTooLowError', ENDINGS.costLimitTooLow, { requiredUsd: '0.000415' }],
  [
    'RateLimitedError',
    ENDINGS.rateLimited,
    {
      rateLimit: { limit: 100, used: 100, remaining: 0, windowMs: 60_000, nextAvailableAt: '2026-01-01T00:00:05.000Z' },
    },
  ],
  ['NoProviderAvailableError', ENDINGS.noProviderAvailable, { routing: { summary: DECISION.summary } }],
  ['AllProvidersFailedError', ENDINGS.allProvidersFailed, { routing: { attempts: [{ outcome: 'SUCCEEDED' }] } }],
  ['TimedOutError', ENDINGS.timedOut, { timeoutMs: 8_000 }],
])('%s is a type of its own, with all that it promises, now and in the log', async (name, why, fields) => {
  await using service = await startService();
  service.gateway.onChat = ending(why);
  const { data, headers, errors } = await ask(service, CHAT, { input: { prompt: 'hi', userId: 'alice' } });
  const told = { message: 'what happened', code: why.code, retryable: true, retryAfterMs: 1_501 };
  const requestId = headers.get('x-request-id');
  expect(errors).toEqual([]);
  expect(data.chat).toEqual({ __typename: name, ...told, requestId, ...fields });

  const later = await ask(
    service,
    `{ request(id: "${requestId}") { status error { __typename message code retryable retryAfterMs requestId } } }`,
  );
  expect(later.data.request.error).toEqual({ __typename: name, ...told, requestId });
});

test('input that is not acceptable is answered with every problem, and nothing runs', async () => {
  await using service = await startService();
  const { data } = await ask(service, CHAT, { input: { prompt: 'hi', temperature: 9, timeoutMs: 0, model: 'nope' } });
  expect(data.chat).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
    retryable: false,
    requestId: null,
  });
  expect(data.chat.issues.map((issue: { path: string[] }) => issue.path)).toEqual([
    ['model'],
    ['temperature'],
    ['timeoutMs'],
  ]);
  expect(service.gateway.records).toEqual([]);
});

test('a paid answer is not lost with the log that could not be written', async () => {
  await using service = await startService();
  service.gateway.isLogLost = true;
  const { data, headers } = await ask(service, CHAT, { input: { prompt: 'hi', userId: 'alice', model: 'smart' } });
  expect(data.chat).toMatchObject({
    content: 'echo: hi',
    request: { id: headers.get('x-request-id'), status: 'SUCCEEDED', userId: 'alice', modelRequested: 'smart' },
  });
});

test('an answer that was paid for is given also while the log cannot be read', async () => {
  await using service = await startService();
  service.gateway.logFault = new StoreUnavailable('connection refused');
  const { data, errors } = await ask(service, CHAT, { input: { prompt: 'hi', userId: 'alice' } });
  expect(errors).toEqual([]);
  expect(data.chat).toMatchObject({ content: 'echo: hi', request: { status: 'SUCCEEDED', userId: 'alice' } });
});

test('a caller who cancelled gets a code and no type', async () => {
  await using service = await startService();
  service.gateway.onChat = ending(ENDINGS.cancelled);
  const { errors } = await ask(service, CHAT, { input: { prompt: 'hi' } });
  expect(errors).toMatchObject([{ path: ['chat'], extensions: { code: 'CANCELLED' } }]);
});

test('a mutation shows providers as they are after it', async () => {
  await using service = await startService();
  service.gateway.onChat = (call) => {
    service.gateway.setState('openai', { isEnabled: false });
    return answered(call, NOW);
  };
  const query = `mutation {
    before: setProviderEnabled(input: { providerId: "google", enabled: true }) { ... on SetProviderEnabledSuccess { provider { health } } }
    chat(input: { prompt: "hi" }) { ... on ChatSuccess { provider { health enabled } } }
    after: setProviderEnabled(input: { providerId: "prov_openai", enabled: true }) { ... on SetProviderEnabledSuccess { provider { health enabled } } }
  }`;
  const { data } = await ask(service, query);
  expect(data).toEqual({
    before: { provider: { health: 'HEALTHY' } },
    chat: { provider: { health: 'DISABLED', enabled: false } },
    after: { provider: { health: 'HEALTHY', enabled: true } },
  });
});

test('every field of the input reaches the gateway as it was meant', async () => {
  await using service = await startService();
  let seen: ChatCall | undefined;
  service.gateway.onChat = (call) => {
    seen = call;
    return answered(call, NOW);
  };
  await ask(service, CHAT, {
    input: {
      messages: [
        { role: 'DEVELOPER', content: 'be brief' },
        { role: 'USER', parts: [{ text: 'what is this?' }, { imageUrl: 'https://example.org/a.png' }] },
      ],
      model: 'openai/gpt-5.1',
      fallbackModels: ['gemini-pro'],
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      stop: ['END'],
      seed: 7,
      reasoningEffort: 'LOW',
      maxCostUsd: 0.05,
      timeoutMs: 5_000,
      userId: 'alice',
      conversationId: 'c1',
      metadata: { team: 'search' },
      routing: {
        order: ['prov_google'],
        sort: 'LATENCY',
        allowFallbacks: false,
        maxAttempts: 2,
        category: 'ANALYSIS',
        maxPrice: { inputUsdPerMillion: '30' },
      },
    },
  });
  expect(seen?.request).toMatchObject({
    model: 'openai/gpt-5.1',
    fallbackModels: ['gemini-pro'],
    maxOutputTokens: 100,
    costMax: 50_000_000_000n,
    timeoutMs: 5_000,
    userId: 'alice',
    conversationId: 'c1',
    metadata: { team: 'search' },
    prompt: { temperature: 0.5, topP: 0.9, stop: ['END'], seed: 7, reasoningEffort: 'low' },
    preferences: {
      order: ['google'],
      sort: 'latency',
      allowFallbacks: false,
      attemptsMax: 2,
      category: 'analysis',
      inputPriceMax: 30_000_000,
    },
  });
  expect(seen?.request.prompt.messages).toEqual([
    { role: 'developer', parts: [{ kind: 'text', text: 'be brief' }] },
    {
      role: 'user',
      parts: [
        { kind: 'text', text: 'what is this?' },
        { kind: 'image', url: 'https://example.org/a.png', detail: null },
      ],
    },
  ]);
});

test('the preview shows the plan and why it would be refused, and records nothing', async () => {
  await using service = await startService();
  const query = `query ($input: ChatInput!) { routePreview(input: $input) {
    decision { summary attempts { number } } selected { provider { key } modelName }
    blockedBy { __typename code requestId ... on BudgetExceededError { requiredUsd } } estimatedInputTokens reservationUsd } }`;
  const free = await ask(service, query, { input: { prompt: 'hi' } });
  expect(free.data.routePreview).toEqual({
    decision: { summary: DECISION.summary, attempts: [] },
    selected: { provider: { key: 'openai' }, modelName: 'gpt-5.1' },
    blockedBy: null,
    estimatedInputTokens: 12,
    reservationUsd: '0.05',
  });
  const { onPreview } = service.gateway;
  service.gateway.onPreview = (call) => ({ ...onPreview(call), selected: null, blockedBy: ENDINGS.budgetExceeded });
  const blocked = await ask(service, query, { input: { prompt: 'hi' } });
  expect(blocked.data.routePreview).toMatchObject({
    selected: null,
    blockedBy: { __typename: 'BudgetExceededError', code: 'BUDGET_EXCEEDED', requestId: null, requiredUsd: '0.40' },
  });
  const invalid = await ask(service, query, { input: { temperature: 9 } });
  expect(invalid.errors).toMatchObject([
    { extensions: { code: 'INVALID_INPUT', issues: [{ path: ['prompt'] }, { path: ['temperature'] }] } },
  ]);
  expect(service.gateway.records).toEqual([]);
});
