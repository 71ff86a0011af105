import { makeAccount } from '../../src/core/account.ts';
import { makeBreaker } from '../../src/core/breaker.ts';
import type { ChatRequest } from '../../src/core/chat-request.ts';
import type { RoutingDecision } from '../../src/core/decision.ts';
import { type ProviderKey, providerKey, replicaId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, parsePricePerMTok, parseUsd } from '../../src/core/money.ts';
import type { Answered, Cost, Timing, Unanswered } from '../../src/core/outcome.ts';
import type { ProviderState } from '../../src/core/provider-state.ts';
import type { ModelSpec, ProviderSpec, Registry } from '../../src/core/registry.ts';
import { type EpochMs, later } from '../../src/core/time.ts';
import type { ChatCall, GatewayInfo } from '../../src/gateway/gateway.ts';

export function usd(text: string): PicoUsd {
  return parseUsd(text)!;
}

function model(name: string, of: { readonly inputUsd: string; readonly aliases?: readonly string[] }): ModelSpec {
  const price = parsePricePerMTok(of.inputUsd)!;
  return {
    name,
    aliases: of.aliases ?? [],
    price: { input: price, output: price, cachedInput: null, reasoning: null },
    contextWindow: 128_000,
    maxOutputTokens: 16_000,
    capabilities: ['streaming'],
    unsupportedParameters: [],
    imageTokensMax: null,
    quality: 0.95,
    typicalLatencyMs: 200,
    typicalTokensPerSecond: 50,
  };
}

function provider(key: string, of: { readonly limit: number; readonly models: readonly ModelSpec[] }): ProviderSpec {
  return {
    key: providerKey(key),
    displayName: `${key} for people`,
    kind: 'mock',
    requestsPerMinute: of.limit,
    specialties: ['code', 'writing'],
    models: of.models,
  };
}

export const REGISTRY: Registry = {
  priceListVersion: '2026-01-01',
  providers: [
    provider('openai', { limit: 100, models: [model('gpt-5.1', { inputUsd: '20', aliases: ['smart'] })] }),
    provider('google', { limit: 150, models: [model('gemini-pro', { inputUsd: '15' })] }),
  ],
};

export function infoAt(nowMs: EpochMs): GatewayInfo {
  return {
    version: '0.1.0-test',
    storeKind: 'memory',
    replica: replicaId('replica-1'),
    startedAtMs: nowMs,
    configHash: 'abc123',
    areSimulationsEnabled: true,
    contentKeptDays: null,
  };
}

export function stateOf(key: ProviderKey, nowMs: EpochMs): ProviderState {
  return {
    provider: key,
    breaker: makeBreaker(nowMs),
    isEnabled: true,
    throttledUntilMs: null,
    setAside: null,
    simulation: null,
    slotFreeAtMs: null,
  };
}

export const COST: Cost = {
  total: usd('0.0123'),
  input: usd('0.01'),
  output: usd('0.0023'),
  reserved: usd('0.05'),
  priceListVersion: '2026-01-01',
};

export const TIMING: Timing = { totalMs: 212.4, timeToFirstTokenMs: null, upstreamMs: 210, overheadMs: 2.4 };

const OPENAI = providerKey('openai');
const GOOGLE = providerKey('google');

export const DECISION: RoutingDecision = {
  summary: 'openai/gpt-5.1 answered a code prompt; best of 1, 1 refused.',
  classification: { category: 'code', confidence: 0.8, signals: ['word:refactor'], classifier: 'cues-1' },
  candidates: [
    {
      provider: OPENAI,
      model: 'gpt-5.1',
      rank: 1,
      score: 0.7,
      scoreTerms: [{ name: 'cost', value: 0.7, weight: 1 }],
      rejection: null,
      estimatedCost: usd('0.01'),
      estimatedLatencyMs: 200,
    },
    {
      provider: GOOGLE,
      model: 'gemini-pro',
      rank: null,
      score: null,
      scoreTerms: [],
      rejection: { reason: 'rateLimited', detail: 'used up', untilMs: null, required: null },
      estimatedCost: usd('0.008'),
      estimatedLatencyMs: 250,
    },
  ],
  attempts: [
    {
      number: 1,
      provider: OPENAI,
      model: 'gpt-5.1',
      outcome: 'succeeded',
      httpStatus: 200,
      errorMessage: null,
      durationMs: 210,
      cost: usd('0.0123'),
      countedByBreaker: true,
    },
  ],
  policy: 'balanced-1',
  decisionMs: 0.4,
};

/** The text a fake answer has: the newest message again. */
export function echoOf(request: ChatRequest): string {
  const part = request.prompt.messages.at(-1)?.parts[0];
  return `echo: ${part?.kind === 'text' ? part.text : ''}`;
}

export function answered(call: ChatCall, nowMs: EpochMs): Answered {
  const usage = {
    inputTokens: 10,
    cachedInputTokens: 2,
    outputTokens: 5,
    reasoningTokens: 1,
    source: 'reported',
  } as const;
  const { userId } = call.request;
  return {
    kind: 'answered',
    requestId: call.requestId,
    answer: {
      text: echoOf(call.request),
      refusal: null,
      toolCalls: [],
      logprobs: null,
      finishReason: 'stop',
      usage,
      warnings: [],
    },
    provider: OPENAI,
    model: 'gpt-5.1',
    usage,
    cost: COST,
    timing: TIMING,
    routing: DECISION,
    account: userId === null ? null : { ...makeAccount(userAccount(userId), nowMs), posted: COST.total },
    warnings: ['seed was ignored'],
    isReplayed: false,
  };
}

/** One ending of each kind. */
export function endingsAt(nowMs: EpochMs): Readonly<Record<Unanswered['kind'], Unanswered>> {
  const told = { message: 'what happened', isRetryable: true, retryAfterMs: 1_500.2 };
  const account = { ...makeAccount(userAccount('alice'), nowMs), posted: usd('0.9') };
  return {
    budgetExceeded: { ...told, kind: 'budgetExceeded', code: 'BUDGET_EXCEEDED', account, required: usd('0.4') },
    costLimitTooLow: { ...told, kind: 'costLimitTooLow', code: 'COST_LIMIT_TOO_LOW', required: usd('0.000415') },
    rateLimited: {
      ...told,
      kind: 'rateLimited',
      code: 'RATE_LIMITED',
      rateLimit: { limit: 100, used: 100, freeAtMs: later(nowMs, 5_000) },
    },
    noProviderAvailable: { ...told, kind: 'noProviderAvailable', code: 'NO_PROVIDER_AVAILABLE' },
    allProvidersFailed: { ...told, kind: 'allProvidersFailed', code: 'ALL_PROVIDERS_FAILED' },
    timedOut: { ...told, kind: 'timedOut', code: 'TIMED_OUT', timeoutMs: 8_000 },
    cancelled: { ...told, kind: 'cancelled', code: 'CANCELLED' },
  };
}
