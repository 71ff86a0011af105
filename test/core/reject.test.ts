import { equal } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeAccount } from '../../src/core/account.ts';
import { makeBound } from '../../src/core/bound.ts';
import { claimProbe, makeBreaker, reportTo } from '../../src/core/breaker.ts';
import type { ChatRequest } from '../../src/core/chat-request.ts';
import type { RejectionReason } from '../../src/core/decision.ts';
import { holdId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd } from '../../src/core/money.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import type { Means } from '../../src/core/paying.ts';
import { type ProviderRefusal, type ProviderState, refusalOf } from '../../src/core/provider-state.ts';
import type { RawChat, RawPreferences } from '../../src/core/raw-chat.ts';
import type { Capability, Parameter, ProviderKind } from '../../src/core/registry.ts';
import { type Considered, rejectionOf, rejectionOfRefusal } from '../../src/core/reject.ts';
import { epochMs } from '../../src/core/time.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const NOW = epochMs(1_000_000);
const SOON = epochMs(NOW + 5_000);

const MODEL = makeModel('m', '2', { contextWindow: 1_000, unsupportedParameters: ['temperature'] });
const PROVIDER = makeProvider('p', [MODEL]);
const REGISTRY = makeRegistry(PROVIDER, makeProvider('other', [makeModel('n', '2')]));
/** 100 tokens at $2 per million. */
const COST = picoUsd(200_000_000n);

interface Case {
  readonly raw: RawChat & { readonly routing: RawPreferences };
  readonly considered: Considered;
  readonly means: Means;
}

const ELIGIBLE: Case = {
  raw: { messages: [{ role: 'user', content: 'hello' }], routing: {} },
  considered: {
    candidate: { provider: PROVIDER, model: MODEL, tier: 0 },
    bound: makeBound({ inputTokensMax: 100, outputTokensAsked: 1, modelOutputTokensMax: 10, price: MODEL.price }),
    inputTokens: 100,
    latencyMsP95: 400,
    isStreamed: false,
    refusal: null,
  },
  means: [],
};

function meansWith(available: PicoUsd): Means {
  return [{ account: makeAccount(userAccount('ann'), epochMs(0)), available }];
}

function requestOf(raw: RawChat): ChatRequest {
  const parsed = parseChat(raw, REGISTRY);
  if (parsed.kind !== 'valid') throw new RangeError(JSON.stringify(parsed.issues));
  return parsed.request;
}

function judge(of: Case) {
  return rejectionOf(of.considered, requestOf(of.raw), of.means);
}

function routed(of: Case, routing: RawPreferences): Case {
  return { ...of, raw: { ...of.raw, routing: { ...of.raw.routing, ...routing } } };
}

const IMAGE = {
  role: 'user',
  parts: [{ text: 'what is this?' }, { imageUrl: 'https://a.example/b.png' }],
} as const;

/** What stands in the way, one by one, in the order in which it is named: what no waiting can change first, money last. */
const OBSTACLES: readonly (readonly [RejectionReason, (of: Case) => Case])[] = [
  ['excluded', (of) => routed(of, { ignore: ['p'] })],
  ['missingCapability', (of) => ({ ...of, raw: { ...of.raw, messages: [IMAGE] } })],
  ['contextTooLong', (of) => ({ ...of, considered: { ...of.considered, inputTokens: 1_000 } })],
  ['overMaxPrice', (of) => routed(of, { maxPrice: { inputUsdPerMillion: picoUsd(1_999_999_000_000n) } })],
  ['overCostLimit', (of) => ({ ...of, raw: { ...of.raw, maxCostUsd: picoUsd(COST - 1n) } })],
  ['tooSlow', (of) => routed(of, { maxLatencyMs: 399 })],
  ['breakerOpen', (of) => refused(of, { kind: 'breakerOpen', untilMs: SOON })],
  ['overBudget', (of) => ({ ...of, means: meansWith(picoUsd(COST - 1n)) })],
];

function refused(of: Case, refusal: ProviderRefusal): Case {
  return { ...of, considered: { ...of.considered, refusal } };
}

const TOOLS = [{ name: 'weather' }];
const CALLED = [
  { role: 'user', content: 'hello' },
  { role: 'assistant', toolCalls: [{ id: '1', name: 'weather', arguments: '{}' }] },
  { role: 'tool', content: 'warm', toolCallId: '1' },
] as const;

/** What a chat asks, and what a model that cannot do it is rejected with. */
const LACKS: readonly (readonly [detail: string, raw: RawChat])[] = [
  ['it calls no tools', { tools: TOOLS }],
  ['it calls no tools', { messages: CALLED }],
  ['it follows no JSON schema', { responseFormat: { jsonSchema: { name: 'a', schema: {} } } }],
];

describe('what a model cannot do', () => {
  test.each(LACKS)('%s', (detail, raw) => {
    const judged = (capabilities: readonly Capability[], requireParameters: boolean) =>
      judge({
        ...ELIGIBLE,
        raw: { ...ELIGIBLE.raw, ...raw, routing: { requireParameters } },
        considered: {
          ...ELIGIBLE.considered,
          candidate: { provider: PROVIDER, model: { ...MODEL, capabilities }, tier: 0 },
        },
      });
    for (const isRequired of [true, false]) {
      expect(judged([], isRequired)).toMatchObject({ reason: 'missingCapability', detail });
      expect(judged(['tools', 'jsonSchema'], isRequired)).toBeNull();
    }
  });

  test('any JSON, where it answers only by a schema, whatever the caller requires', () => {
    const judged = (unsupportedParameters: readonly Parameter[], requireParameters: boolean) =>
      judge({
        ...ELIGIBLE,
        raw: { ...ELIGIBLE.raw, responseFormat: { jsonObject: true }, routing: { requireParameters } },
        considered: {
          ...ELIGIBLE.considered,
          candidate: { provider: PROVIDER, model: { ...MODEL, unsupportedParameters }, tier: 0 },
        },
      });
    for (const isRequired of [true, false]) {
      expect(judged([], isRequired)).toBeNull();
      expect(judged(['jsonObject'], isRequired)).toMatchObject({
        reason: 'missingCapability',
        detail: 'it answers in JSON only by a schema',
      });
    }
  });

  test('parameters, and fields that its kind of provider is not sent, only where the caller requires them', () => {
    const raw = { temperature: 1, extras: { top_k: 3, logit_bias: {} } };
    const judged = (kind: ProviderKind, requireParameters: boolean) =>
      judge({
        ...ELIGIBLE,
        raw: { ...ELIGIBLE.raw, ...raw, routing: { requireParameters } },
        considered: {
          ...ELIGIBLE.considered,
          candidate: { provider: { ...PROVIDER, kind }, model: MODEL, tier: 0 },
        },
      })?.detail ?? null;
    expect(judged('openaiCompatible', true)).toBe('it does not take temperature');
    expect(judged('openai', true)).toBe('it does not take temperature, top_k');
    expect(judged('gemini', true)).toBe('it does not take temperature, top_k, logit_bias');
    expect(judged('gemini', false)).toBeNull();
  });
});

describe('a candidate', () => {
  test('that nothing stands against is eligible', () => {
    expect(judge(ELIGIBLE)).toBeNull();
  });

  test.each(OBSTACLES)('is rejected as %s when that alone stands in the way', (reason, add) => {
    expect(judge(add(ELIGIBLE))?.reason).toBe(reason);
  });

  test('is rejected for the first reason in the documented order, whatever else stands in the way', () => {
    fc.assert(
      fc.property(fc.subarray([...OBSTACLES], { minLength: 1 }), (obstacles) => {
        const blocked = obstacles.reduce((of, [, add]) => add(of), ELIGIBLE);
        equal(judge(blocked)?.reason, obstacles[0]?.[0]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('at the very limit of price, cost, latency, context and budget is still eligible', () => {
    const atLimits = [
      routed(ELIGIBLE, { maxPrice: { inputUsdPerMillion: picoUsd(2_000_000_000_000n) }, maxLatencyMs: 400 }),
      { ...ELIGIBLE, raw: { ...ELIGIBLE.raw, maxCostUsd: COST } },
      { ...ELIGIBLE, considered: { ...ELIGIBLE.considered, inputTokens: 999 } },
      { ...ELIGIBLE, means: meansWith(COST) },
    ];
    for (const of of atLimits) expect(judge(of)).toBeNull();
  });

  test('names the money it needs where that decides whether to try again: too dear, or not to be asked right now', () => {
    for (const [reason, add] of OBSTACLES) {
      const isAsked = reason === 'overCostLimit' || reason === 'overBudget' || reason === 'breakerOpen';
      const required = isAsked ? COST : null;
      expect(judge(add(ELIGIBLE))?.required, reason).toBe(required);
    }
  });
});

describe('excluded', () => {
  test('are providers outside `only`, in `ignore`, and models not asked for when fallbacks are off', () => {
    expect(judge(routed(ELIGIBLE, { only: ['other'] }))?.reason).toBe('excluded');
    expect(judge(routed(ELIGIBLE, { only: ['other', 'p'] }))).toBeNull();
    const untold = {
      ...ELIGIBLE,
      considered: { ...ELIGIBLE.considered, candidate: { provider: PROVIDER, model: MODEL, tier: null } },
    };
    expect(judge(untold)).toBeNull();
    expect(judge(routed(untold, { allowFallbacks: false }))?.reason).toBe('excluded');
  });
});

describe('missing capabilities', () => {
  test('are images that a model does not read, and parameters that it does not take while they are required', () => {
    const warm = { ...ELIGIBLE, raw: { ...ELIGIBLE.raw, temperature: 0.5 } };
    expect(judge(warm)).toMatchObject({ reason: 'missingCapability', detail: 'it does not take temperature' });
    expect(judge(routed(warm, { requireParameters: false }))).toBeNull();
    expect(
      judge({ ...ELIGIBLE, raw: { ...ELIGIBLE.raw, topP: 0.5, seed: 1, stop: ['a'], reasoningEffort: 'low' } }),
    ).toBeNull();
  });
});

describe('a refusal of its provider', () => {
  test.each([
    [{ kind: 'disabled' }, 'disabled', null],
    [{ kind: 'setAside', untilMs: SOON, detail: '401' }, 'disabled', SOON],
    [{ kind: 'breakerOpen', untilMs: SOON }, 'breakerOpen', SOON],
    [{ kind: 'breakerProbing', untilMs: SOON }, 'breakerProbing', SOON],
    [{ kind: 'throttled', untilMs: SOON }, 'rateLimited', SOON],
    [{ kind: 'rateLimited', untilMs: SOON }, 'rateLimited', SOON],
  ] as const)('%o is told as %s, with when it ends', (refusal, reason, untilMs) => {
    expect(rejectionOfRefusal(refusal, ELIGIBLE.considered.bound)).toMatchObject({ reason, untilMs, required: COST });
    expect(judge(refused(ELIGIBLE, refusal))?.reason).toBe(reason);
  });

  const open = [0, 1, 2].reduce((breaker) => {
    const pass = { epoch: 0, probeId: null, startedAtMs: NOW };
    return reportTo(
      breaker,
      { pass, verdict: { kind: 'failure', retryAfterMs: null, isSimulated: false }, jitter: 0 },
      NOW,
    ).breaker;
  }, makeBreaker(NOW));
  const probed = claimProbe(open, { id: holdId('h'), leaseEndsAtMs: SOON }, NOW).breaker;
  const idle: ProviderState = {
    provider: PROVIDER.key,
    breaker: makeBreaker(NOW),
    isEnabled: true,
    throttledUntilMs: null,
    setAside: null,
    simulation: null,
    slotFreeAtMs: null,
  };
  /** In the order in which they are named: what an operator did, then the breaker, then limits. */
  const states: readonly (readonly [ProviderRefusal['kind'], Partial<ProviderState>])[] = [
    ['disabled', { isEnabled: false }],
    ['setAside', { setAside: { untilMs: SOON, detail: '401' } }],
    ['breakerOpen', { breaker: open }],
    ['throttled', { throttledUntilMs: SOON }],
    ['rateLimited', { slotFreeAtMs: SOON }],
  ];

  test('is the first in the order: switched off, set aside, breaker, asked to wait, own limit', () => {
    fc.assert(
      fc.property(fc.subarray([...states]), (chosen) => {
        const state: ProviderState = Object.assign({ ...idle }, ...chosen.map(([, change]) => change));
        equal(refusalOf(state, NOW)?.kind, chosen[0]?.[0]);
      }),
      { numRuns: 2_000 },
    );
    expect(refusalOf({ ...idle, breaker: probed }, NOW)).toEqual({ kind: 'breakerProbing', untilMs: SOON });
  });

  test('ends at the instant it names, to the millisecond', () => {
    for (const [kind, change] of states.filter(([name]) => name !== 'disabled')) {
      const state = { ...idle, ...change };
      const refusal = refusalOf(state, NOW);
      const untilMs = refusal !== null && 'untilMs' in refusal ? refusal.untilMs : NOW;
      expect(refusalOf(state, epochMs(untilMs - 1))?.kind).toBe(kind);
      expect(refusalOf(state, untilMs)).toBeNull();
    }
  });
});
