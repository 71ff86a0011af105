import { type Deadline, isOutOfTime } from '../core/deadline.ts';
import type { CandidateReport } from '../core/decision.ts';
import { addUsd, maxUsd, type PicoUsd, ZERO_USD } from '../core/money.ts';
import type { Paying } from '../core/paying.ts';
import type { Permit } from '../ports/admission.ts';
import type { Attempt } from './attempt.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';

/** What one chat has been through so far. A value: each step gives the next one. */
export interface Journey {
  readonly deadline: Deadline;
  readonly attempts: readonly Attempt[];
  /** Candidates that the plan had ranked and `admit` passed over, with the reason. */
  readonly passedOver: readonly CandidateReport[];
  /** The most that was held for it at one moment. */
  readonly reserved: PicoUsd;
  /** The accounts of those who pay, as last seen. Null before the first admission. */
  readonly paying: Paying | null;
  /** Things worth telling the caller. */
  readonly warnings: readonly string[];
}

export function setOut(deps: GatewayDeps, call: ChatCall): Journey {
  const deadline = { startedAtMs: deps.clock.elapsedMs(), timeoutMs: call.request.timeoutMs };
  return { deadline, attempts: [], passedOver: [], reserved: ZERO_USD, paying: null, warnings: [] };
}

/** Whether one more attempt may be made: the caller is there, time is left, and the caller's own limit is not reached. */
export function mayGoOn(deps: GatewayDeps, call: ChatCall, journey: Journey): boolean {
  const isTimeLeft = !isOutOfTime(journey.deadline, deps.clock.elapsedMs());
  return !call.signal.aborted && isTimeLeft && journey.attempts.length < attemptsMaxOf(call);
}

/** Attempts a caller allows in all. Without fallbacks there is no second one. */
export function attemptsMaxOf(call: ChatCall): number {
  const { allowFallbacks, attemptsMax } = call.request.preferences;
  return allowFallbacks ? attemptsMax : 1;
}

export function lastAttemptOf(journey: Journey): Attempt | null {
  return journey.attempts.at(-1) ?? null;
}

/** What all attempts together cost so far. */
export function spentOn(journey: Journey): PicoUsd {
  return addUsd(...journey.attempts.map((attempt) => attempt.report.cost));
}

export function withPassedOver(
  journey: Journey,
  passedOver: readonly CandidateReport[],
  paying: Paying | null,
): Journey {
  return { ...journey, passedOver: [...journey.passedOver, ...passedOver], paying: paying ?? journey.paying };
}

export function withAttempt(journey: Journey, attempt: Attempt, permit: Permit): Journey {
  return {
    ...journey,
    attempts: [...journey.attempts, attempt],
    reserved: maxUsd(journey.reserved, permit.held),
    paying: attempt.paying ?? journey.paying,
  };
}
