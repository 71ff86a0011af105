import { isOutOfTime } from '../core/deadline.ts';
import type { CandidateReport, RoutingDecision } from '../core/decision.ts';
import { allProvidersFailed, cancelled, timedOut } from '../core/ended.ts';
import type { Failure } from '../core/failure.ts';
import { ZERO_USD } from '../core/money.ts';
import type { Answered, ChatOutcome, Cost, RateLimitState, Timing, Unanswered } from '../core/outcome.ts';
import { meansOf, type Paying, spendingWarnings } from '../core/paying.ts';
import { whyNobody } from '../core/refusal.ts';
import { POLICY } from '../core/score.ts';
import { summarise } from '../core/summary.ts';
import type { Attempt } from './attempt.ts';
import type { Payer } from './caller.ts';
import type { ChatDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import { type Journey, lastAttemptOf, spentOn } from './journey.ts';
import type { Planned } from './planning.ts';

interface Trip {
  readonly payer: Payer;
  readonly planned: Planned;
  readonly journey: Journey;
}

/** How a chat ended: with the answer of its last attempt, or with the one reason that says why there is none. */
export async function endOf(deps: ChatDeps, call: ChatCall, trip: Trip): Promise<ChatOutcome> {
  const last = lastAttemptOf(trip.journey);
  if (last?.kind === 'answered') return answeredBy(deps, call, trip, last);
  return {
    kind: 'ended',
    requestId: call.requestId,
    why: await whyUnanswered(deps, call, trip),
    routing: decisionOf(trip.planned, trip.journey),
    cost: costOf(deps, trip.journey),
    timing: timingOf(deps, trip.journey),
  };
}

function answeredBy(
  deps: ChatDeps,
  call: ChatCall,
  trip: Trip,
  attempt: Extract<Attempt, { kind: 'answered' }>,
): Answered {
  const paying = payingOn(trip);
  const means = meansOf(paying, trip.payer.defaultCap);
  return {
    kind: 'answered',
    requestId: call.requestId,
    answer: attempt.answer,
    provider: attempt.report.provider,
    model: attempt.report.model,
    usage: attempt.answer.usage,
    cost: { ...costOf(deps, trip.journey), input: attempt.cost.input, output: attempt.cost.output },
    timing: timingOf(deps, trip.journey),
    routing: decisionOf(trip.planned, trip.journey),
    account: means.some((purse) => purse.account === paying.account) ? paying.account : null,
    warnings: [...attempt.warnings, ...attempt.answer.warnings, ...spendingWarnings(means)],
    isReplayed: false,
  };
}

/** The accounts of those who pay, as last seen. */
function payingOn({ journey, planned }: Trip): Paying {
  return journey.paying ?? planned;
}

async function whyUnanswered(deps: ChatDeps, call: ChatCall, trip: Trip): Promise<Unanswered> {
  const { journey } = trip;
  const failures = journey.attempts.flatMap((attempt): readonly Failure[] =>
    attempt.kind === 'failed' ? [attempt.failure] : [],
  );
  const last = failures.at(-1);
  if (call.signal.aborted || last?.kind === 'cancelled') return cancelled();
  const isTimeUp = isOutOfTime(journey.deadline, deps.clock.elapsedMs());
  if (isTimeUp && (last === undefined || last.kind === 'timedOut')) return timedOut(journey.deadline);
  if (last !== undefined) return allProvidersFailed(failures);
  return refusalOf(deps, trip);
}

/** Why nobody took a request that was never attempted. */
export async function refusalOf(deps: ChatDeps, trip: Trip): Promise<Unanswered> {
  const rejected = rejectedOf(trip.planned, trip.journey);
  const isAnyLimited = rejected.some((candidate) => candidate.rejection?.reason === 'rateLimited');
  const rateLimits = isAnyLimited ? await rateLimitsOf(deps) : new Map<string, RateLimitState>();
  return whyNobody({
    rejected,
    means: meansOf(payingOn(trip), trip.payer.defaultCap),
    nowMs: trip.planned.nowMs,
    rateLimitOf: (candidate) => rateLimits.get(candidate.provider) ?? { limit: 0, used: 0, freeAtMs: null },
  });
}

async function rateLimitsOf(deps: ChatDeps): Promise<ReadonlyMap<string, RateLimitState>> {
  const { providers } = await deps.store.survey();
  return new Map(
    providers.map(({ state, slotsUsed }) => {
      const spec = deps.registry.providers.find((provider) => provider.key === state.provider);
      const freeAtMs = state.slotFreeAtMs ?? state.throttledUntilMs;
      return [state.provider, { limit: spec?.requestsPerMinute ?? 0, used: slotsUsed, freeAtMs }];
    }),
  );
}

/** The decision with everything that happened to it since it was made. */
export function decisionOf(planned: Planned, journey: Pick<Journey, 'attempts' | 'passedOver'>): RoutingDecision {
  const passedOver = new Set(journey.passedOver.map(nameOf));
  const eligible = planned.plan.ranked
    .map((ranked) => ranked.report)
    .filter((report) => !passedOver.has(nameOf(report)));
  const candidates = [
    ...eligible.map((report, index) => ({ ...report, rank: index + 1 })),
    ...rejectedOf(planned, journey),
  ];
  const attempts = journey.attempts.map((attempt) => attempt.report);
  const { classification, decisionMs } = planned;
  return {
    summary: summarise({ classification, candidates, attempts }),
    classification,
    candidates,
    attempts,
    policy: POLICY,
    decisionMs,
  };
}

function rejectedOf(planned: Planned, journey: Pick<Journey, 'passedOver'>): readonly CandidateReport[] {
  return [...journey.passedOver, ...planned.plan.rejected];
}

function nameOf(report: CandidateReport): string {
  return `${report.provider}/${report.model}`;
}

/** What a chat has cost so far. */
export function costOf(deps: ChatDeps, journey: Journey): Cost {
  return {
    total: spentOn(journey),
    input: ZERO_USD,
    output: ZERO_USD,
    reserved: journey.reserved,
    priceListVersion: deps.registry.priceListVersion,
  };
}

/** Where its time went so far. */
export function timingOf(deps: ChatDeps, journey: Journey): Timing {
  const totalMs = deps.clock.elapsedMs() - journey.deadline.startedAtMs;
  const firstAtMs = lastAttemptOf(journey)?.firstDeltaAtMs ?? null;
  const upstreamMs = journey.attempts.reduce((sum, attempt) => sum + attempt.upstreamMs, 0);
  return {
    totalMs: Math.round(totalMs),
    timeToFirstTokenMs: firstAtMs === null ? null : Math.round(firstAtMs - journey.deadline.startedAtMs),
    upstreamMs: Math.min(Math.round(upstreamMs), Math.round(totalMs)),
    overheadMs: Math.max(0, Math.round((totalMs - upstreamMs) * 1000) / 1000),
  };
}
