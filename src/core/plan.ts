import { type Bound, makeBound } from './bound.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import type { Classification } from './category.ts';
import type { ChatRequest } from './chat-request.ts';
import type { CandidateReport } from './decision.ts';
import { estimateCost, estimateInputTokens } from './estimate.ts';
import type { PicoUsd } from './money.ts';
import { medianMsOf, type Pace, p95MsOf, tokensPerSecondOf } from './pace.ts';
import { meansOf, type Paying } from './paying.ts';
import { type ProviderState, refusalOf } from './provider-state.ts';
import type { ModelSpec, ProviderSpec, Registry } from './registry.ts';
import { type Considered, rejectionOf } from './reject.ts';
import { type Merits, scoreAll } from './score.ts';
import type { EpochMs } from './time.ts';

/** Everything a plan is made of. A plan reads it and changes nothing. */
export interface PlanInput extends Paying {
  readonly request: ChatRequest;
  readonly registry: Registry;
  /** Whether the answer is wanted piece by piece. */
  readonly isStreamed: boolean;
  readonly classification: Classification;
  readonly nowMs: EpochMs;
  readonly providers: readonly ProviderState[];
  /** Applies while the payer's account has no cap of its own. Null: no cap. */
  readonly defaultCap: PicoUsd | null;
  /** The most input tokens the provider can bill for this prompt. */
  readonly inputTokensMax: (provider: ProviderSpec, model: ModelSpec) => number;
  readonly paceOf: (provider: ProviderSpec, model: ModelSpec) => Pace;
}

/** An eligible candidate: it may be tried, in this order. */
export interface Ranked {
  readonly candidate: Candidate;
  readonly bound: Bound;
  readonly report: CandidateReport;
}

export interface Plan {
  /** Best first. Empty when nobody is eligible. */
  readonly ranked: readonly Ranked[];
  /** In the registry's order, each with its rejection. */
  readonly rejected: readonly CandidateReport[];
  /** Estimated, for ranking. */
  readonly inputTokens: number;
}

/** Filters, scores and orders: the caller's tiers, then the caller's order, then the score, then the registry's order. */
export function makePlan(input: PlanInput): Plan {
  const inputTokens = estimateInputTokens(input.request.prompt);
  const means = meansOf(input, input.defaultCap);
  const looked = candidatesOf(input.registry, input.request).map((candidate) => {
    const considered = consider(candidate, input, inputTokens);
    const rejection = rejectionOf(considered, input.request, means);
    return { ...considered, rejection, merits: meritsOf(candidate, input, inputTokens) };
  });
  const eligible = looked.filter((look) => look.rejection === null);
  const scores = scoreAll(
    eligible.map((look) => look.merits),
    input.request.preferences.sort,
  );
  const order = input.request.preferences.order;
  const sorted = eligible
    .map((look, index) => ({ ...look, score: scores[index] ?? { score: 0, terms: [] } }))
    .toSorted(
      (first, second) =>
        (first.candidate.tier ?? Number.MAX_SAFE_INTEGER) - (second.candidate.tier ?? Number.MAX_SAFE_INTEGER) ||
        placeIn(order, first.candidate.provider.key) - placeIn(order, second.candidate.provider.key) ||
        second.score.score - first.score.score,
    );
  return {
    ranked: sorted.map((look, index) => ({
      candidate: look.candidate,
      bound: look.bound,
      report: {
        ...reportOf(look.candidate, look.merits),
        rank: index + 1,
        score: look.score.score,
        scoreTerms: look.score.terms,
      },
    })),
    rejected: looked
      .filter((look) => look.rejection !== null)
      .map((look) => ({ ...reportOf(look.candidate, look.merits), rejection: look.rejection })),
    inputTokens,
  };
}

function consider(candidate: Candidate, input: PlanInput, inputTokens: number): Considered {
  const { provider, model } = candidate;
  const state = input.providers.find((known) => known.provider === provider.key);
  if (state === undefined) throw new RangeError(`the store knows no provider ${provider.key}`);
  return {
    candidate,
    inputTokens,
    isStreamed: input.isStreamed,
    bound: makeBound({
      inputTokensMax: input.inputTokensMax(provider, model),
      outputTokensAsked: input.request.maxOutputTokens,
      modelOutputTokensMax: model.maxOutputTokens,
      price: model.price,
    }),
    latencyMsP95: p95MsOf(input.paceOf(provider, model)) ?? model.typicalLatencyMs,
    refusal: refusalOf(state, input.nowMs),
  };
}

function meritsOf(candidate: Candidate, input: PlanInput, inputTokens: number): Merits {
  const { provider, model } = candidate;
  const pace = input.paceOf(provider, model);
  const asked = input.request.maxOutputTokens ?? model.maxOutputTokens;
  return {
    estimatedCost: estimateCost({
      inputTokens,
      outputTokensMax: Math.min(asked, model.maxOutputTokens),
      price: model.price,
    }),
    latencyMs: medianMsOf(pace) ?? model.typicalLatencyMs,
    quality: model.quality,
    tokensPerSecond: tokensPerSecondOf(pace) ?? model.typicalTokensPerSecond,
    isSpecialist: provider.specialties.includes(input.classification.category),
  };
}

function placeIn(order: readonly string[], key: string): number {
  const place = order.indexOf(key);
  return place === -1 ? order.length : place;
}

function reportOf(candidate: Candidate, merits: Merits): CandidateReport {
  return {
    provider: candidate.provider.key,
    model: candidate.model.name,
    rank: null,
    score: null,
    scoreTerms: [],
    rejection: null,
    estimatedCost: merits.estimatedCost,
    estimatedLatencyMs: Math.round(merits.latencyMs),
  };
}
