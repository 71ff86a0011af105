import type { Sort } from './chat-request.ts';
import type { ScoreTerm } from './decision.ts';
import type { PicoUsd } from './money.ts';

/** Name and version of the policy: changes whenever a weight or a rule below does. */
export const POLICY = 'seed-boost-1';

/** The balanced score, when the caller names no quality to rank by. */
const BALANCED = { price: 0.5, latency: 0.2, quality: 0.3, throughput: 0 } as const;

/** The seed's boosts for a specialist: a tenth off what should be small, a tenth on what should be large. In tenths, so that they are exact. */
const BOOST_TENTHS = { smaller: 9, larger: 11, none: 10 } as const;

/** What is compared. */
export interface Merits {
  readonly estimatedCost: PicoUsd;
  readonly latencyMs: number;
  /** 0 to 1. */
  readonly quality: number;
  readonly tokensPerSecond: number;
  /** The prompt's class is among the provider's specialties. */
  readonly isSpecialist: boolean;
}

export interface Score {
  /** 0 to 1: the sum of value × weight. */
  readonly score: number;
  readonly terms: readonly ScoreTerm[];
}

/** Scores candidates against each other, boosts included. A value is the best candidate's figure over this one's (or the reverse where more is better), so the best has 1. */
export function scoreAll(merits: readonly Merits[], sort: Sort | null): readonly Score[] {
  const weights = sort === null ? BALANCED : { price: 0, latency: 0, quality: 0, throughput: 0, [sort]: 1 };
  const values = {
    price: smallestIsBest(merits.map((merit) => boosted(Number(merit.estimatedCost), merit, 'smaller'))),
    latency: smallestIsBest(merits.map((merit) => boosted(merit.latencyMs, merit, 'smaller'))),
    quality: largestIsBest(merits.map((merit) => boosted(merit.quality, merit, 'larger'))),
    throughput: largestIsBest(merits.map((merit) => boosted(merit.tokensPerSecond, merit, 'larger'))),
  };
  const names = SORT_TERMS.filter((name) => weights[name] > 0);
  return merits.map((_merit, index) => {
    const terms = names.map((name) => ({ name, value: values[name][index] ?? 0, weight: weights[name] }));
    return { score: terms.reduce((sum, term) => sum + term.value * term.weight, 0), terms };
  });
}

const SORT_TERMS = ['price', 'latency', 'quality', 'throughput'] as const;

function boosted(figure: number, merit: Merits, toward: 'smaller' | 'larger'): number {
  return figure * (merit.isSpecialist ? BOOST_TENTHS[toward] : BOOST_TENTHS.none);
}

function smallestIsBest(figures: readonly number[]): readonly number[] {
  const best = Math.min(...figures);
  return figures.map((figure) => (figure === best ? 1 : best / figure));
}

function largestIsBest(figures: readonly number[]): readonly number[] {
  const best = Math.max(...figures);
  return figures.map((figure) => (figure === best ? 1 : figure / best));
}
