import type { GatewayFacts, Part, PartName, RoomState } from '../../../dashboard/model/room-state.ts';
import {
  ANTHROPIC,
  BUDGETS,
  bad,
  DECISIONS,
  GOOGLE,
  GROQ,
  HALF_OPEN,
  MINUTE_MS,
  makeBudget,
  makeCard,
  makeDecision,
  NOW_MS,
  numbersOf,
  OPEN,
  OPENAI,
  OPENED,
  ok,
  PROVIDERS,
  REFUSAL,
  SERIES,
} from './cast.ts';
import { DETAIL, ROUTING } from './why-scene.ts';

const ALL_OK: Readonly<Record<PartName, Part>> = {
  gateway: { kind: 'ok' },
  providers: { kind: 'ok' },
  ticks: { kind: 'ok' },
  breakers: { kind: 'ok' },
  decisions: { kind: 'ok' },
  budgets: { kind: 'ok' },
};

export const GATEWAY: GatewayFacts = {
  version: '0.1.0',
  storeKind: 'POSTGRES',
  storeMode: 'NORMAL',
  configHash: 'sha256:a1b2c3d4e5f60718293a4b5c6d7e8f90',
  isConfigStale: false,
  configsDifferUntilMs: null,
  replicaId: 'switchyard-1',
  replicas: 3,
  areSimulationsEnabled: true,
  startedAtMs: NOW_MS - 90 * MINUTE_MS,
  scopes: ['admin'],
};

const CALM: RoomState = {
  connection: { kind: 'live', roundTripMs: 12 },
  gateway: GATEWAY,
  window: '1m',
  paused: null,
  totals: { ...numbersOf(1993, 640), atMs: NOW_MS, requestsPerSecond: 33.2, burnUsdPerHour: '4.1052', inFlight: 37 },
  series: SERIES,
  providers: PROVIDERS,
  decisions: DECISIONS,
  missedDecisions: 0,
  selected: null,
  budgets: BUDGETS,
  parts: ALL_OK,
  tryIt: { prompt: '', preview: null, isPreviewStale: false, answer: { kind: 'idle' } },
  notices: [],
};

const BROKEN: RoomState = {
  ...CALM,
  providers: [
    { ...OPENAI, trafficShare: 0.79 },
    OPENED,
    { ...GOOGLE, breaker: HALF_OPEN, trafficShare: 0 },
    { ...GROQ, trafficShare: 0.21 },
  ],
};

const LONG = 'an-openai-compatible-endpoint-with-a-very-long-name-in-eu-west-1';

export const SCENES = {
  calm: CALM,
  broken: BROKEN,
  oneOpen: { ...CALM, providers: [OPENAI, OPENED, GOOGLE, GROQ] },
  simulated: {
    ...CALM,
    providers: [
      {
        ...OPENAI,
        breaker: { ...OPEN, lastChange: OPEN.lastChange === null ? null : { ...OPEN.lastChange, cause: 'SIMULATION' } },
        simulation: { mode: 'TIMEOUT', rate: 1, endsAtMs: NOW_MS + 4 * MINUTE_MS, failuresInjected: 14 },
      },
      ANTHROPIC,
      { ...GOOGLE, isEnabled: false, trafficShare: 0 },
      { ...GROQ, simulation: { mode: 'SLOW', rate: 0.5, endsAtMs: NOW_MS + 2 * MINUTE_MS, failuresInjected: 3 } },
    ],
    notices: [
      { id: 1, tone: 'done', text: 'openai: failures are simulated for 5 minutes', code: null },
      { id: 2, tone: 'failed', text: 'The provider mistral is not known.', code: 'NOT_FOUND' },
    ],
  },
  lost: { ...BROKEN, connection: { kind: 'lost', sinceMs: NOW_MS - 8_000, retryAtMs: NOW_MS + 4_000 } },
  locked: { ...CALM, connection: { kind: 'locked', why: 'The key is not known, or was revoked.' }, gateway: null },
  empty: {
    ...CALM,
    totals: {
      ...numbersOf(0, 0),
      atMs: NOW_MS,
      requestsPerSecond: 0,
      burnUsdPerHour: '0',
      inFlight: 0,
      latency: { p50Ms: null, p95Ms: null, p99Ms: null },
      timeToFirstToken: { p50Ms: null, p95Ms: null, p99Ms: null },
    },
    series: [],
    decisions: [],
    budgets: [],
    providers: PROVIDERS.map((card) => ({
      ...card,
      numbers: null,
      trafficShare: null,
      errorShare: null,
      rateLimit: { ...card.rateLimit, used: 0 },
    })),
  },
  paused: { ...CALM, paused: { sinceMs: NOW_MS - 20_000, newEvents: 312 } },
  barred: {
    ...CALM,
    gateway: {
      ...GATEWAY,
      scopes: ['chat'],
      isConfigStale: true,
      configsDifferUntilMs: NOW_MS,
      areSimulationsEnabled: false,
    },
    decisions: [],
    budgets: [],
    parts: {
      ...ALL_OK,
      decisions: { kind: 'refused', code: 'FORBIDDEN', why: 'the key lacks the scope requests:read' },
      budgets: { kind: 'refused', code: 'FORBIDDEN', why: 'the key lacks the scope budgets:read' },
    },
  },
  large: {
    ...CALM,
    totals: {
      ...numbersOf(18_420_331, 128_000),
      atMs: NOW_MS,
      requestsPerSecond: 5_116.8,
      burnUsdPerHour: '123456.789012',
      inFlight: 48_211,
    },
    providers: [
      makeCard(LONG, LONG, {
        rateLimit: { limit: 1_200_000, used: 1_200_000, windowMs: MINUTE_MS, nextAvailableAtMs: NOW_MS },
        numbers: numbersOf(9_000_000, 128_000),
      }),
      ...PROVIDERS,
      ...Array.from({ length: 7 }, (_, index) =>
        makeCard(`region-${index}`, `Region ${index}`, { trafficShare: 0.004 }),
      ),
    ],
    decisions: DECISIONS.map((decision) => ({
      ...decision,
      userId: 'customer-0199f3a2-7c41-7b3e-9d5a-000000000001@tenant.example',
    })),
    budgets: Array.from({ length: 30 }, (_, index) =>
      makeBudget(`customer-0199f3a2-7c41-7b3e-9d5a-${index}@tenant.example`, {
        limitUsd: '9000000',
        spentUsd: '8123456.789012345678',
        remainingUsd: '876543.210987654322',
        reservedUsd: '0.000000000001',
        status: 'WARNING',
      }),
    ),
  },
  exhausted: {
    ...CALM,
    // No key of ours is right, and who would answer is busy.
    providers: [
      { ...OPENAI, health: 'DISABLED', lastFailure: { ...OPENED.lastFailure, message: 'HTTP 401: invalid key' } },
      { ...GOOGLE, health: 'DEGRADED' },
    ],
    budgets: [
      makeBudget('carol', { spentUsd: '1', reservedUsd: '0', remainingUsd: '0', utilization: 1, status: 'EXHAUSTED' }),
      ...BUDGETS,
    ],
    tryIt: {
      prompt: 'Summarise this table',
      preview: {
        kind: 'routed',
        summary: 'openai is first',
        selected: ROUTING.candidates[0] ?? null,
        routing: ROUTING,
        inputTokens: 12,
        reservationUsd: '0.0104',
        blockedBy: REFUSAL,
      },
      isPreviewStale: false,
      answer: { kind: 'idle' },
    },
  },
  why: {
    ...CALM,
    selected: { id: 'req_0199f3a2-7c41-7b3e-9d5a-000000000004', detail: { ...DETAIL, decision: makeDecision(4) } },
  },
  answered: {
    ...CALM,
    tryIt: {
      prompt: 'Write a function that reverses a list',
      preview: {
        kind: 'routed',
        summary:
          'openai/gpt-4o-mini is first for a code prompt: score 0.942 from price 1.00, latency 0.81, quality 0.93; best of 3, 1 refused.',
        selected: ROUTING.candidates[0] ?? null,
        routing: ROUTING,
        inputTokens: 12,
        reservationUsd: '0.0104',
        blockedBy: null,
      },
      isPreviewStale: false,
      answer: {
        kind: 'done',
        requestId: 'req_1',
        text: 'def reverse(items):\n    return items[::-1]',
        provider: 'openai',
        model: 'gpt-4o-mini',
        costUsd: '0.000415',
        totalMs: 1412,
        summary: 'openai/gpt-4o-mini answered a code prompt after anthropic failed (timedOut); best of 3, 1 refused.',
        path: [bad('anthropic', 'TIMED_OUT'), ok('openai')],
      },
    },
  },
} as const satisfies Readonly<Record<string, RoomState>>;

export type SceneName = keyof typeof SCENES;
