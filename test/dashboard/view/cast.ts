import type {
  Breaker,
  BudgetRow,
  Decision,
  Numbers,
  PathStep,
  ProviderCard,
  TickPoint,
} from '../../../dashboard/model/room-state.ts';

/** Every scene plays at this moment. */
export const NOW_MS = Date.UTC(2026, 10, 27, 12, 3, 11);
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;

export function numbersOf(requests: number, p50Ms: number): Numbers {
  const failed = Math.round(requests * 0.008);
  return {
    requests,
    succeeded: requests - failed,
    failed,
    refused: Math.round(requests * 0.01),
    rescued: Math.round(requests * 0.03),
    attempts: requests,
    attemptsFailed: failed,
    successShare: requests === 0 ? null : (requests - failed) / requests,
    costUsd: '0.068421',
    savedUsd: '0.0112',
    latency: { p50Ms, p95Ms: p50Ms * 2.3, p99Ms: p50Ms * 3.9 },
    timeToFirstToken: { p50Ms: p50Ms / 4, p95Ms: p50Ms / 2, p99Ms: p50Ms },
  };
}

const CLOSED: Breaker = {
  state: 'CLOSED',
  epoch: 0,
  consecutiveFailures: 0,
  failureThreshold: 3,
  cooldownMs: MINUTE_MS,
  openedAtMs: null,
  nextProbeAtMs: null,
  changedAtMs: NOW_MS - 60 * MINUTE_MS,
  lastChange: null,
  history: [],
};

export const OPEN: Breaker = {
  ...CLOSED,
  state: 'OPEN',
  epoch: 1,
  consecutiveFailures: 3,
  openedAtMs: NOW_MS - 19 * SECOND_MS,
  nextProbeAtMs: NOW_MS + 41 * SECOND_MS,
  changedAtMs: NOW_MS - 19 * SECOND_MS,
  lastChange: {
    id: 'bev_1',
    epoch: 1,
    from: 'CLOSED',
    to: 'OPEN',
    cause: 'FAILURE_THRESHOLD',
    message: 'opened after 3 failures in a row',
    consecutiveFailures: 3,
    atMs: NOW_MS - 19 * SECOND_MS,
  },
};

export const HALF_OPEN: Breaker = { ...OPEN, state: 'HALF_OPEN', epoch: 2, nextProbeAtMs: null };

export function makeCard(key: string, name: string, change: Partial<ProviderCard> = {}): ProviderCard {
  return {
    id: `prov_${key}`,
    key,
    name,
    kind: 'OPENAI_COMPATIBLE',
    isEnabled: true,
    health: 'HEALTHY',
    breaker: CLOSED,
    rateLimit: { limit: 60, used: 23, windowMs: MINUTE_MS, nextAvailableAtMs: null },
    simulation: null,
    models: [`${key}-large`],
    numbers: numbersOf(412, 640),
    trafficShare: 0.25,
    errorShare: 0.004,
    lastFailure: null,
    ...change,
  };
}

export const PROVIDERS = [
  makeCard('openai', 'OpenAI', { kind: 'OPENAI', trafficShare: 0.62, numbers: numbersOf(1240, 820) }),
  makeCard('anthropic', 'Anthropic', { kind: 'ANTHROPIC', trafficShare: 0.21, errorShare: 0 }),
  makeCard('google', 'Google', { kind: 'GEMINI', trafficShare: 0.14, numbers: numbersOf(280, 410) }),
  makeCard('groq', 'Groq', {
    trafficShare: 0.03,
    numbers: numbersOf(61, 190),
    rateLimit: { limit: 30, used: 29, windowMs: MINUTE_MS, nextAvailableAtMs: null },
  }),
] as const;

export const [OPENAI, ANTHROPIC, GOOGLE, GROQ] = PROVIDERS;

export const OPENED = {
  ...ANTHROPIC,
  breaker: OPEN,
  trafficShare: 0,
  errorShare: 1,
  lastFailure: { atMs: NOW_MS - 19 * SECOND_MS, outcome: 'TIMED_OUT', durationMs: 2_000, message: null },
} satisfies ProviderCard;

export const ok = (provider: string): PathStep => ({
  provider,
  outcome: 'SUCCEEDED',
  durationMs: 812,
  errorMessage: null,
});
export const bad = (provider: string, outcome: PathStep['outcome']): PathStep => ({
  provider,
  outcome,
  durationMs: 2_000,
  errorMessage: null,
});

const PATHS: readonly (readonly PathStep[])[] = [
  [ok('openai')],
  [bad('anthropic', 'TIMED_OUT'), ok('openai')],
  [ok('google')],
  [ok('openai')],
  [bad('anthropic', 'PROVIDER_ERROR'), bad('google', 'RATE_LIMITED'), ok('groq')],
  [ok('groq')],
];
const USERS = ['alice', 'bob', 'carol', null, 'batch-import'] as const;
const CATEGORIES = ['CODE', 'WRITING', 'ANALYSIS', 'GENERAL'] as const;

export function makeDecision(index: number, change: Partial<Decision> = {}): Decision {
  const path = PATHS[index % PATHS.length] ?? [];
  return {
    id: `req_0199f3a2-7c41-7b3e-9d5a-${String(index).padStart(12, '0')}`,
    atMs: NOW_MS - index * 700,
    status: 'SUCCEEDED',
    door: 'REST',
    userId: USERS[index % USERS.length] ?? null,
    category: CATEGORIES[index % CATEGORIES.length] ?? null,
    modelRequested: 'auto',
    path,
    answeredBy: { provider: path.at(-1)?.provider ?? 'openai', model: 'gpt-4o-mini' },
    costUsd: ['0.0021', '0.000412', '0.0138', '0.00006'][index % 4] ?? null,
    totalMs: path.reduce((sum, { durationMs }) => sum + durationMs, 0) + index,
    timeToFirstTokenMs: 240,
    summary: 'openai/gpt-4o-mini answered a code prompt; best of 3, 1 refused.',
    error: null,
    ...change,
  };
}

export const REFUSAL = {
  code: 'BUDGET_EXCEEDED',
  message: 'The budget of carol is used up; it starts again at midnight UTC.',
};
export const DECISIONS: readonly Decision[] = [
  makeDecision(0, {
    status: 'RUNNING',
    path: [bad('anthropic', 'TIMED_OUT')],
    answeredBy: null,
    costUsd: null,
    totalMs: null,
  }),
  makeDecision(1),
  makeDecision(2, { status: 'REFUSED', path: [], answeredBy: null, costUsd: '0', totalMs: 1, error: REFUSAL }),
  ...Array.from({ length: 60 }, (_, index) => makeDecision(index + 3)),
];

export function makeBudget(owner: string, change: Partial<BudgetRow> = {}): BudgetRow {
  return {
    id: `budg_${owner}`,
    level: 'USER',
    owner,
    limitUsd: '1',
    spentUsd: '0.3100204150021',
    reservedUsd: '0.04',
    remainingUsd: '0.6499795849979',
    utilization: 0.35,
    status: 'OK',
    period: 'DAILY',
    resetsAtMs: NOW_MS + 9 * 60 * MINUTE_MS,
    ...change,
  };
}

export const BUDGETS: readonly BudgetRow[] = [
  makeBudget('alice', {
    spentUsd: '0.81',
    reservedUsd: '0.04',
    remainingUsd: '0.15',
    utilization: 0.85,
    status: 'WARNING',
  }),
  makeBudget('research', {
    level: 'TEAM',
    limitUsd: '250',
    spentUsd: '96.204',
    reservedUsd: '12.5',
    remainingUsd: '141.296',
    period: 'MONTHLY',
  }),
  makeBudget('ci-runner', { level: 'KEY', period: 'TOTAL', resetsAtMs: null }),
];

/** A rolling window's figures over ten minutes, with a bad stretch in the middle. */
export const SERIES: readonly TickPoint[] = Array.from({ length: 600 }, (_, index) => {
  const wave = Math.sin(index / 40) * 120 + Math.sin(index / 9) * 30;
  const isBad = index > 300 && index < 380;
  return {
    atMs: NOW_MS - (600 - index) * SECOND_MS,
    requests: Math.round(2_000 + wave),
    succeeded: Math.round(1_960 + wave - (isBad ? 240 : 0)),
    failed: isBad ? 240 : 16,
    refused: Math.round(24 + wave / 20),
    p50Ms: 620 + wave,
    p95Ms: 1_480 + wave * 2 + (isBad ? 900 : 0),
    p99Ms: 2_400 + wave * 2 + (isBad ? 2_000 : 0),
    inFlight: 37,
    providers: PROVIDERS.map(({ key }, place) => ({
      key,
      requests: 500,
      costUsd: (0.04 - place * 0.009) * (1 + wave / 900),
    })),
  };
});
