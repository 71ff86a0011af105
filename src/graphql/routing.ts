import type { Classification } from '../core/category.ts';
import type { AttemptReport, CandidateReport, Rejection, ScoreTerm } from '../core/decision.ts';
import { builder } from './builder.ts';
import { providerOf } from './provider-shape.ts';
import { ProviderRef, RoutingDecisionRef } from './refs.ts';
import { AttemptOutcomeEnum, CategoryEnum, outcomeWord } from './words.ts';

const RejectionReasonEnum = builder.enumType('RejectionReason', {
  description: 'Reasons to refuse a candidate.',
  values: {
    BREAKER_OPEN: { value: 'breakerOpen', description: 'Its circuit breaker is open.' },
    BREAKER_PROBING: { value: 'breakerProbing', description: 'It is half open and its probe is taken.' },
    RATE_LIMITED: { value: 'rateLimited', description: 'Its rate limit is used up.' },
    DISABLED: { value: 'disabled', description: 'It was switched off.' },
    EXCLUDED: { value: 'excluded', description: 'The caller excluded it.' },
    OVER_MAX_PRICE: { value: 'overMaxPrice', description: 'Its list price is above `maxPrice`.' },
    OVER_COST_LIMIT: { value: 'overCostLimit', description: 'Its worst case is above `maxCostUsd`.' },
    OVER_BUDGET: { value: 'overBudget', description: 'The budget cannot cover its worst case.' },
    TOO_SLOW: { value: 'tooSlow', description: 'It was slower than `maxLatencyMs` lately.' },
    CONTEXT_TOO_LONG: { value: 'contextTooLong', description: 'The input does not fit its context window.' },
    MISSING_CAPABILITY: { value: 'missingCapability', description: 'It lacks a needed capability.' },
  },
});

const ClassificationRef = builder.objectRef<Classification>('Classification').implement({
  description: 'What kind of prompt it was taken for.',
  fields: (t) => ({
    category: t.expose('category', { type: CategoryEnum, description: 'The category.' }),
    confidence: t.exposeFloat('confidence', { description: '0 to 1.' }),
    signals: t.stringList({
      description: 'Which features of the prompt spoke for it.',
      resolve: ({ signals }) => signals,
    }),
    classifier: t.exposeString('classifier', { description: 'Name and version of the classifier.' }),
  }),
});

const ScoreTermRef = builder.objectRef<ScoreTerm>('ScoreTerm').implement({
  description: 'One term of a score.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Name of the term, such as `cost` or `latency`.' }),
    value: t.exposeFloat('value', { description: 'Normalised value, 0 to 1, higher is better.' }),
    weight: t.exposeFloat('weight', { description: 'Weight in the policy.' }),
  }),
});

const RouteRejectionRef = builder.objectRef<Rejection>('RouteRejection').implement({
  description: 'Why a candidate was refused.',
  fields: (t) => ({
    reason: t.expose('reason', { type: RejectionReasonEnum, description: 'The reason.' }),
    detail: t.exposeString('detail', { description: 'Details for a person, such as when the breaker tries again.' }),
  }),
});

export const RouteCandidateRef = builder.objectRef<CandidateReport>('RouteCandidate').implement({
  description: 'One provider and model the router looked at.',
  fields: (t) => ({
    provider: t.field({
      type: ProviderRef,
      description: 'The provider.',
      resolve: ({ provider }, _args, context) => providerOf(context, provider),
    }),
    modelName: t.exposeString('model', { description: "The model's exact name." }),
    rank: t.exposeInt('rank', { description: '1 is best; null when refused.', nullable: true }),
    score: t.exposeFloat('score', { description: 'Weighted score, 0 to 1; null when refused.', nullable: true }),
    scoreTerms: t.field({
      type: [ScoreTermRef],
      description: 'How the score came about.',
      resolve: ({ scoreTerms }) => scoreTerms,
    }),
    rejection: t.expose('rejection', {
      type: RouteRejectionRef,
      description: 'Why it was refused; null when eligible.',
      nullable: true,
    }),
    estimatedCostUsd: t.expose('estimatedCost', {
      type: 'Decimal',
      description: 'Expected cost.',
      nullable: true,
    }),
    estimatedLatencyMs: t.int({
      description: 'Expected time to the complete answer.',
      nullable: true,
      resolve: ({ estimatedLatencyMs }) => Math.round(estimatedLatencyMs),
    }),
  }),
});

export const AttemptRef = builder.objectRef<AttemptReport>('Attempt').implement({
  description: 'One call to a provider.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first.' }),
    provider: t.field({
      type: ProviderRef,
      description: 'The provider called.',
      resolve: ({ provider }, _args, context) => providerOf(context, provider),
    }),
    modelName: t.exposeString('model', { description: "The model's exact name." }),
    outcome: t.field({
      type: AttemptOutcomeEnum,
      description: 'How it ended.',
      resolve: ({ outcome }) => outcomeWord(outcome),
    }),
    httpStatus: t.exposeInt('httpStatus', {
      description: 'HTTP status from the provider, when there was one.',
      nullable: true,
    }),
    errorMessage: t.exposeString('errorMessage', {
      description: 'What the provider said, with secrets removed.',
      nullable: true,
    }),
    durationMs: t.int({
      description: 'How long it took.',
      resolve: ({ durationMs }) => Math.round(durationMs),
    }),
    costUsd: t.expose('cost', { type: 'Decimal', description: 'What it cost.' }),
    countedByBreaker: t.exposeBoolean('countedByBreaker', {
      description: 'Whether it counted against the circuit breaker. Rate limits and bad requests do not.',
    }),
  }),
});

RoutingDecisionRef.implement({
  description: 'Why a request was routed as it was: enough to check the decision by hand.',
  fields: (t) => ({
    summary: t.exposeString('summary', { description: 'One sentence for a person.' }),
    classification: t.expose('classification', {
      type: ClassificationRef,
      description: 'What kind of prompt it was taken for.',
    }),
    candidates: t.field({
      type: [RouteCandidateRef],
      description: 'Every provider and model considered, best first, refused ones last.',
      resolve: ({ candidates }) => candidates,
    }),
    attempts: t.field({
      type: [AttemptRef],
      description: 'Calls really made, in order. Empty in a preview.',
      resolve: ({ attempts }) => attempts,
    }),
    policy: t.exposeString('policy', { description: 'Name and version of the routing policy.' }),
    decisionMs: t.exposeFloat('decisionMs', { description: 'Time spent deciding.' }),
  }),
});
