import fc from 'fast-check';
import type { RequestFilter, ViewedQuery, Window } from '../../src/core/analytics.ts';
import { DIMENSIONS, NO_FILTER } from '../../src/core/analytics.ts';
import type { UsedKey } from '../../src/core/api-key.ts';
import { CATEGORIES } from '../../src/core/category.ts';
import { ATTEMPT_OUTCOMES, type AttemptReport, type CandidateReport, REJECTIONS } from '../../src/core/decision.ts';
import {
  type AccountKey,
  ANONYMOUS,
  apiKeyId,
  keyAccount,
  providerKey,
  requestId,
  userAccount,
} from '../../src/core/ids.ts';
import { picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { ERROR_CODES } from '../../src/core/outcome.ts';
import { FINISH_REASONS } from '../../src/core/prompt.ts';
import { DOORS, REQUEST_STATUSES, type RequestRecord } from '../../src/core/request-record.ts';
import { epochMs } from '../../src/core/time.ts';
import { USAGE_SOURCES } from '../../src/core/usage.ts';
import { EVERYBODY, type View } from '../../src/core/view.ts';

/** 2026-01-01, the start of the two minutes in which random requests arrive. */
export const START_MS = epochMs(Date.UTC(2026, 0, 1));
export const SPAN_MS = 120_000;
export const WHOLE_WINDOW: Window = { fromMs: START_MS, toMs: epochMs(START_MS + SPAN_MS) };

export const EVERYTHING: ViewedQuery = {
  view: EVERYBODY,
  window: WHOLE_WINDOW,
  groupBy: [],
  filter: NO_FILTER,
  groupsMax: 50,
  intervalsMs: [],
};

/** A request that one provider answered at once, for examples that change one thing. */
export function makeRecord(number: number, changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: requestId(`01980000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`),
    createdAtMs: epochMs(START_MS + number),
    status: 'succeeded',
    door: 'graphql',
    isStreamed: false,
    account: ANONYMOUS,
    apiKey: null,
    userId: null,
    modelRequested: 'auto',
    provider: providerKey('openai'),
    model: 'gpt-5.1',
    category: 'code',
    fellBack: false,
    usage: { inputTokens: 20, cachedInputTokens: 0, outputTokens: 10, reasoningTokens: 0, source: 'reported' },
    cost: {
      total: picoUsd(600n),
      input: picoUsd(400n),
      output: picoUsd(200n),
      reserved: picoUsd(900n),
      priceListVersion: '1',
    },
    saved: ZERO_USD,
    timing: { totalMs: 200, timeToFirstTokenMs: null, upstreamMs: 198, overheadMs: 2.5 },
    finishReason: 'stop',
    error: null,
    routing: {
      summary: 'openai was best',
      classification: { category: 'code', confidence: 0.75, signals: ['word:refactor'], classifier: 'words-1' },
      candidates: [],
      attempts: [makeAttempt()],
      policy: 'balanced-1',
      decisionMs: 0.25,
    },
    metadata: {},
    conversationId: null,
    traceId: null,
    ...changes,
  };
}

export function makeAttempt(changes: Partial<AttemptReport> = {}): AttemptReport {
  return {
    number: 1,
    provider: providerKey('openai'),
    model: 'gpt-5.1',
    outcome: 'succeeded',
    httpStatus: 200,
    errorMessage: null,
    durationMs: 198,
    cost: picoUsd(600n),
    countedByBreaker: true,
    ...changes,
  };
}

/** Few values for each dimension, so that ties and common groups happen; `other` and `none` are among them on purpose. */
const providers = fc.constantFrom('openai', 'google', 'other').map(providerKey);
const models = fc.constantFrom('gpt-5.1', 'gemini-pro', 'other');
const users = fc.constantFrom('ann', 'bob', 'none', 'other', 'Zoë', '\u{1F600}', '\uFF5E', '');
/** Two lines of keys, one of which was rotated. */
const usedKeys = fc.constantFrom('first first', 'second first', 'other other').map((text): UsedKey => {
  const [id = '', line = ''] = text.split(' ');
  return { id: apiKeyId(id), line: apiKeyId(line) };
});
const money = fc
  .oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 9_000_000_000_000_000_000n }))
  .map(picoUsd);
const times = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.double({ min: 0, max: 100_000, noNaN: true }).map((ms) => ms + 0),
);
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const tokens = fc.integer({ min: 0, max: 4_000_000_000 });
const words = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0'));
const labels = fc
  .array(fc.tuple(fc.constantFrom('team', 'env', '__proto__', 'constructor'), fc.constantFrom('a', 'b', '')), {
    maxLength: 3,
  })
  .map((entries): Record<string, string> => Object.fromEntries(entries));

const candidates: fc.Arbitrary<CandidateReport> = fc.record({
  provider: providers,
  model: models,
  rank: fc.option(fc.integer({ min: 1, max: 9 })),
  score: fc.option(share),
  scoreTerms: fc.array(fc.record({ name: words, value: share, weight: share }), { maxLength: 2 }),
  rejection: fc.option(
    fc.record({
      reason: fc.constantFrom(...REJECTIONS),
      detail: words,
      untilMs: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 }).map(epochMs)),
      required: fc.option(money),
    }),
  ),
  estimatedCost: money,
  estimatedLatencyMs: times,
});

const attemptLists: fc.Arbitrary<readonly AttemptReport[]> = fc
  .array(
    fc.record({
      provider: providers,
      model: models,
      outcome: fc.constantFrom(...ATTEMPT_OUTCOMES),
      httpStatus: fc.option(fc.integer({ min: 100, max: 599 })),
      errorMessage: fc.option(words),
      durationMs: times,
      cost: money,
      countedByBreaker: fc.boolean(),
    }),
    { maxLength: 3 },
  )
  .map((attempts) => attempts.map((attempt, index) => ({ number: index + 1, ...attempt })));

function accountOf({ userId, apiKey }: Pick<RequestRecord, 'userId' | 'apiKey'>): AccountKey {
  if (userId !== null) return userAccount(userId);
  return apiKey === null ? ANONYMOUS : keyAccount(apiKey.line);
}

/** Any request at all: only what the types and doc comments promise holds. */
export const records: fc.Arbitrary<RequestRecord> = fc
  .record({
    id: fc.uuid({ version: 7 }).map(requestId),
    createdAtMs: fc
      .oneof(fc.integer({ min: 0, max: SPAN_MS - 1 }), fc.integer({ min: 0, max: 20 }))
      .map((ms) => epochMs(START_MS + ms)),
    status: fc.constantFrom(...REQUEST_STATUSES),
    door: fc.constantFrom(...DOORS),
    isStreamed: fc.boolean(),
    apiKey: fc.option(usedKeys),
    userId: fc.option(users),
    modelRequested: words,
    provider: fc.option(providers),
    model: fc.option(models),
    category: fc.constantFrom(...CATEGORIES),
    usage: fc.option(
      fc.record({
        inputTokens: tokens,
        cachedInputTokens: tokens,
        outputTokens: tokens,
        reasoningTokens: tokens,
        source: fc.constantFrom(...USAGE_SOURCES),
      }),
    ),
    cost: fc.record({ total: money, input: money, output: money, reserved: money, priceListVersion: words }),
    saved: money,
    timing: fc.record({ totalMs: times, timeToFirstTokenMs: fc.option(times), upstreamMs: times, overheadMs: times }),
    finishReason: fc.option(fc.constantFrom(...FINISH_REASONS)),
    error: fc.option(
      fc.record({
        code: fc.constantFrom(...ERROR_CODES),
        message: words,
        isRetryable: fc.boolean(),
        retryAfterMs: fc.option(times),
        required: fc.option(money),
        timeoutMs: fc.option(fc.integer({ min: 100, max: 600_000 })),
      }),
    ),
    routing: fc.record({
      summary: words,
      classification: fc.record({
        category: fc.constantFrom(...CATEGORIES),
        confidence: share,
        signals: fc.array(words, { maxLength: 2 }),
        classifier: words,
      }),
      candidates: fc.array(candidates, { maxLength: 2 }),
      attempts: attemptLists,
      policy: words,
      decisionMs: times,
    }),
    metadata: labels,
    conversationId: fc.option(words),
    traceId: fc.option(fc.constant('0af7651916cd43dd8448eb211c80319c')),
  })
  .map((record) => ({
    ...record,
    account: accountOf(record),
    fellBack: record.routing.attempts.length > 1,
    timing: record.isStreamed ? record.timing : { ...record.timing, timeToFirstTokenMs: null },
  }));

export const recordLists = (countMax: number): fc.Arbitrary<readonly RequestRecord[]> =>
  fc.uniqueArray(records, { selector: (record) => record.id, maxLength: countMax });

/** The whole two minutes, any part of them, or one whose ends fall on the instants at which many requests arrive. */
const spans = (from: number, to: number): fc.Arbitrary<Window> =>
  fc
    .tuple(fc.integer({ min: from, max: to }), fc.integer({ min: from, max: to }))
    .map(([fromMs, toMs]) => ({ fromMs: epochMs(START_MS + fromMs), toMs: epochMs(START_MS + toMs) }));

export const windows: fc.Arbitrary<Window> = fc.oneof(fc.constant(WHOLE_WINDOW), spans(-10, SPAN_MS), spans(-1, 20));

const someOf = <Value>(...values: readonly Value[]): fc.Arbitrary<readonly Value[]> =>
  fc.subarray([...values], { minLength: 1 });

const conditions: fc.Arbitrary<RequestFilter> = fc.record({
  status: someOf(...REQUEST_STATUSES),
  provider: someOf('openai', 'google', 'nobody'),
  model: someOf('gpt-5.1', 'other', 'no\0model'),
  userId: users,
  apiKeyId: fc.constantFrom('first', 'second', 'nobody\0').map(apiKeyId),
  category: someOf(...CATEGORIES),
  fellBack: fc.boolean(),
  window: windows,
  costMin: fc.oneof(money, fc.constant(picoUsd(10n ** 24n))),
  totalMsMin: times,
  metadata: labels,
});

const conditionNames = [
  'status',
  'provider',
  'model',
  'userId',
  'apiKeyId',
  'category',
  'fellBack',
  'window',
  'costMin',
  'totalMsMin',
  'metadata',
];

/** One or two conditions at a time: all at once, nothing would ever match. */
export const filters: fc.Arbitrary<RequestFilter> = fc
  .tuple(conditions, fc.subarray(conditionNames, { minLength: 1, maxLength: 2 }))
  .map(([wanted, names]) => ({
    ...NO_FILTER,
    ...Object.fromEntries(Object.entries(wanted).filter(([name]) => names.includes(name))),
  }));

/** Views of one are of what pays and of what is sent, which need not be the same requests. */
export const views: fc.Arbitrary<View> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(EVERYBODY) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.oneof(users.map(userAccount), fc.constant(keyAccount(apiKeyId('other')))), usedKeys)
      .map(([account, { line }]): View => ({ kind: 'one', account, line })),
  },
  { weight: 1, arbitrary: fc.constant<View>({ kind: 'nobody' }) },
);

export const queries: fc.Arbitrary<ViewedQuery> = fc.record({
  view: views,
  window: windows,
  groupBy: fc.subarray([...DIMENSIONS], { maxLength: 2 }),
  filter: fc.oneof({ weight: 3, arbitrary: fc.constant(NO_FILTER) }, filters),
  groupsMax: fc.integer({ min: 1, max: 6 }),
  intervalsMs: fc.array(fc.integer({ min: 1_000, max: 2 * SPAN_MS }), { maxLength: 2 }),
});
