import type { Candidate, DecisionDetail, Routing } from '../../../dashboard/model/room-state.ts';

function candidateOf(provider: string, rank: number, values: readonly [number, number, number]): Candidate {
  const weights = { price: 0.5, latency: 0.2, quality: 0.3 };
  const terms = Object.entries(weights).map(([name, weight], index) => ({ name, weight, value: values[index] ?? 0 }));
  return {
    provider,
    model: `${provider}-large-2026-08`,
    rank,
    score: terms.reduce((sum, { value, weight }) => sum + value * weight, 0),
    terms,
    rejection: null,
    estimatedCostUsd: '0.0021',
    estimatedLatencyMs: 1_320,
  };
}

export const ROUTING: Routing = {
  summary:
    'groq/groq-large answered a code prompt after anthropic failed (timedOut), google failed (rateLimited); best of 3, 1 refused.',
  policy: 'seed-boost-1',
  category: 'CODE',
  confidence: 0.91,
  signals: ['a fenced block of code', 'the word function', 'the word reverse'],
  candidates: [
    candidateOf('anthropic', 1, [0.94, 0.71, 1]),
    candidateOf('google', 2, [1, 0.62, 0.84]),
    candidateOf('groq', 3, [0.71, 1, 0.66]),
    {
      ...candidateOf('openai', 4, [0, 0, 0]),
      rank: null,
      score: null,
      terms: [],
      rejection: { reason: 'BREAKER_OPEN', detail: 'its breaker is open; the next probe may go out in 41 s' },
      estimatedCostUsd: null,
      estimatedLatencyMs: null,
    },
  ],
  attempts: [
    {
      number: 1,
      provider: 'anthropic',
      model: 'anthropic-large-2026-08',
      outcome: 'TIMED_OUT',
      durationMs: 2_000,
      costUsd: '0',
      httpStatus: null,
      errorMessage: 'no answer within 2,000 ms',
      isCountedByBreaker: true,
    },
    {
      number: 2,
      provider: 'google',
      model: 'google-large-2026-08',
      outcome: 'RATE_LIMITED',
      durationMs: 190,
      costUsd: '0',
      httpStatus: 429,
      errorMessage: 'quota exceeded, try again in 12 s',
      isCountedByBreaker: false,
    },
    {
      number: 3,
      provider: 'groq',
      model: 'groq-large-2026-08',
      outcome: 'SUCCEEDED',
      durationMs: 812,
      costUsd: '0.000415002',
      httpStatus: 200,
      errorMessage: null,
      isCountedByBreaker: false,
    },
  ],
};

export const DETAIL: Pick<DecisionDetail, 'kind' | 'routing' | 'tokens' | 'reservedUsd' | 'overheadMs'> = {
  kind: 'detail',
  routing: ROUTING,
  tokens: { input: 412, output: 1_204 },
  reservedUsd: '0.0104',
  overheadMs: 1.24,
};
