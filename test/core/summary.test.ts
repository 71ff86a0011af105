import { expect, test } from 'vitest';
import type { AttemptReport, CandidateReport, RejectionReason } from '../../src/core/decision.ts';
import { providerKey } from '../../src/core/ids.ts';
import { ZERO_USD } from '../../src/core/money.ts';
import { summarise } from '../../src/core/summary.ts';

const classification = { category: 'code', confidence: 0.9, signals: [], classifier: 'test' } as const;

function candidate(provider: string, rank: number | null, reason: RejectionReason = 'breakerOpen'): CandidateReport {
  return {
    provider: providerKey(provider),
    model: 'm',
    rank,
    score: rank === null ? null : 0.875,
    scoreTerms: rank === null ? [] : [{ name: 'price', value: 0.75, weight: 0.5 }],
    rejection: rank === null ? { reason, detail: '', untilMs: null, required: null } : null,
    estimatedCost: ZERO_USD,
    estimatedLatencyMs: 1,
  };
}

function attempt(provider: string, outcome: AttemptReport['outcome']): AttemptReport {
  return {
    number: 1,
    provider: providerKey(provider),
    model: 'm',
    outcome,
    httpStatus: null,
    errorMessage: null,
    durationMs: 1,
    cost: ZERO_USD,
    countedByBreaker: false,
  };
}

test.each([
  [
    'a preview',
    [candidate('a', 1), candidate('b', 2)],
    [],
    'a/m is first for a code prompt: score 0.875 from price 0.75; best of 2.',
  ],
  [
    'a preview with one left',
    [candidate('a', 1), candidate('b', null)],
    [],
    'a/m is first for a code prompt: score 0.875 from price 0.75; the only one eligible, 1 refused.',
  ],
  [
    'nobody',
    [candidate('a', null), candidate('b', null, 'overBudget')],
    [],
    'Nobody can take a code prompt: a/m breakerOpen, b/m overBudget.',
  ],
  [
    'an answer',
    [candidate('a', 1), candidate('b', 2)],
    [attempt('a', 'succeeded')],
    'a/m answered a code prompt; best of 2.',
  ],
  [
    'a fallback',
    [candidate('a', 1), candidate('b', 2), candidate('c', null)],
    [attempt('a', 'timedOut'), attempt('b', 'succeeded')],
    'b/m answered a code prompt after a failed (timedOut); best of 2, 1 refused.',
  ],
  [
    'failures',
    [candidate('a', 1), candidate('b', 2)],
    [attempt('a', 'providerError'), attempt('b', 'networkError')],
    'Nobody answered a code prompt: a failed (providerError), b failed (networkError).',
  ],
] as const)('%s is told in one sentence', (_what, candidates, attempts, sentence) => {
  expect(summarise({ classification, candidates, attempts })).toBe(sentence);
});

test('the article fits the kind of prompt', () => {
  const ofAnalysis = { ...classification, category: 'analysis' } as const;
  const decision = {
    classification: ofAnalysis,
    candidates: [candidate('a', 1)],
    attempts: [attempt('a', 'succeeded')],
  };
  expect(summarise(decision)).toBe('a/m answered an analysis prompt; the only one eligible.');
});
