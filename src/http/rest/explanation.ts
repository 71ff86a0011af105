import type { AttemptReport, CandidateReport, RoutingDecision } from '../../core/decision.ts';
import type { RequestId } from '../../core/ids.ts';
import { formatUsd } from '../../core/money.ts';
import type { ChatOutcome, Cost, Timing } from '../../core/outcome.ts';
import { outcomeWord } from '../../graphql/words.ts';
import { inRestWords } from './names.ts';

/** The whole explanation of an outcome, for callers who ask for it. Money as exact texts. `asked`: the id of this sending. */
export function explanationOf(outcome: ChatOutcome, asked: RequestId) {
  return {
    routing: routingOf(outcome.routing),
    timing: timingOf(outcome.timing),
    cost: costOf(outcome.cost),
    replayed: outcome.requestId !== asked,
  };
}

export function routingOf(decision: RoutingDecision) {
  const { summary, classification, policy, decisionMs } = decision;
  return {
    summary,
    classification,
    candidates: decision.candidates.map(candidateOf),
    attempts: decision.attempts.map(attemptOf),
    policy,
    decision_ms: decisionMs,
  };
}

function candidateOf({ provider, model, rank, score, scoreTerms, rejection, ...estimated }: CandidateReport) {
  return {
    provider,
    model,
    rank,
    score,
    score_terms: scoreTerms,
    rejection:
      rejection === null
        ? null
        : {
            reason: snakeCase(rejection.reason),
            detail: inRestWords(rejection.detail),
            until: rejection.untilMs === null ? null : new Date(rejection.untilMs).toISOString(),
          },
    estimated_cost_usd: formatUsd(estimated.estimatedCost),
    estimated_latency_ms: estimated.estimatedLatencyMs,
  };
}

function attemptOf(attempt: AttemptReport) {
  return {
    number: attempt.number,
    provider: attempt.provider,
    model: attempt.model,
    outcome: attempt.outcome === 'throttled' ? 'rate_limited' : snakeCase(outcomeWord(attempt.outcome)),
    http_status: attempt.httpStatus,
    error_message: attempt.errorMessage,
    duration_ms: Math.round(attempt.durationMs),
    cost_usd: formatUsd(attempt.cost),
    counted_by_breaker: attempt.countedByBreaker,
  };
}

function timingOf({ totalMs, timeToFirstTokenMs, upstreamMs, overheadMs }: Timing) {
  return {
    total_ms: totalMs,
    time_to_first_token_ms: timeToFirstTokenMs,
    upstream_ms: upstreamMs,
    overhead_ms: overheadMs,
  };
}

function costOf({ total, input, output, reserved, priceListVersion }: Cost) {
  return {
    total_usd: formatUsd(total),
    input_usd: formatUsd(input),
    output_usd: formatUsd(output),
    reserved_usd: formatUsd(reserved),
    price_list_version: priceListVersion,
  };
}

function snakeCase(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
