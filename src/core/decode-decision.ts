import { CATEGORIES, type Classification } from './category.ts';
import {
  ATTEMPT_OUTCOMES,
  type AttemptReport,
  type CandidateReport,
  REJECTIONS,
  type Rejection,
  type RoutingDecision,
  type ScoreTerm,
} from './decision.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeInstant,
  decodeList,
  decodeMoney,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
} from './decode.ts';
import { providerKey } from './ids.ts';

/** A decision as it was stored; its attempts may be kept apart from it. */
export function decodeDecision(value: unknown, attempts: unknown): RoutingDecision {
  const decision = decodeFields(value);
  return {
    summary: decodeText(decision.summary),
    classification: decodeClassification(decision.classification),
    candidates: decodeList(decision.candidates, decodeCandidate),
    attempts: decodeList(attempts, decodeAttempt),
    policy: decodeText(decision.policy),
    decisionMs: decodeNumber(decision.decisionMs),
  };
}

function decodeClassification(value: unknown): Classification {
  const classification = decodeFields(value);
  return {
    category: decodeOneOf(CATEGORIES, classification.category),
    confidence: decodeNumber(classification.confidence),
    signals: decodeList(classification.signals, decodeText),
    classifier: decodeText(classification.classifier),
  };
}

function decodeCandidate(value: unknown): CandidateReport {
  const candidate = decodeFields(value);
  return {
    provider: providerKey(decodeText(candidate.provider)),
    model: decodeText(candidate.model),
    rank: decodeNullable(candidate.rank, decodeNumber),
    score: decodeNullable(candidate.score, decodeNumber),
    scoreTerms: decodeList(candidate.scoreTerms, decodeScoreTerm),
    rejection: decodeNullable(candidate.rejection, decodeRejection),
    estimatedCost: decodeMoney(candidate.estimatedCost),
    estimatedLatencyMs: decodeNumber(candidate.estimatedLatencyMs),
  };
}

function decodeScoreTerm(value: unknown): ScoreTerm {
  const term = decodeFields(value);
  return {
    name: decodeText(term.name),
    value: decodeNumber(term.value),
    weight: decodeNumber(term.weight),
  };
}

function decodeRejection(value: unknown): Rejection {
  const rejection = decodeFields(value);
  return {
    reason: decodeOneOf(REJECTIONS, rejection.reason),
    detail: decodeText(rejection.detail),
    untilMs: decodeNullable(rejection.untilMs, decodeInstant),
    required: decodeNullable(rejection.required, decodeMoney),
  };
}

export function decodeAttempt(value: unknown): AttemptReport {
  const attempt = decodeFields(value);
  return {
    number: decodeNumber(attempt.number),
    provider: providerKey(decodeText(attempt.provider)),
    model: decodeText(attempt.model),
    outcome: decodeOneOf(ATTEMPT_OUTCOMES, attempt.outcome),
    httpStatus: decodeNullable(attempt.httpStatus, decodeNumber),
    errorMessage: decodeNullable(attempt.errorMessage, decodeText),
    durationMs: decodeNumber(attempt.durationMs),
    cost: decodeMoney(attempt.cost),
    countedByBreaker: decodeBoolean(attempt.countedByBreaker),
  };
}
