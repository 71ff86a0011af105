import type { Account } from '../core/account.ts';
import { attemptMs } from '../core/deadline.ts';
import type { CandidateReport } from '../core/decision.ts';
import { type PicoUsd, subtractUsd } from '../core/money.ts';
import type { Ranked } from '../core/plan.ts';
import type { ModelSpec } from '../core/registry.ts';
import { overBudget, overCostLimit, rejectionOfRefusal } from '../core/reject.ts';
import type { AdmissionRefusal, Permit } from '../ports/admission.ts';
import type { Task } from './attempt.ts';
import type { Payer } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import { attemptsMaxOf, type Journey, spentOn } from './journey.ts';
import type { OpenPermit } from './open-permit.ts';

/** The next attempt's permit, or the news that none of the open candidates can take it. */
export type AdmittedNext =
  | {
      readonly kind: 'admitted';
      readonly permit: Permit;
      readonly model: ModelSpec;
      readonly attemptMs: number;
      /** Candidates better than the admitted one that could not take it at that moment. */
      readonly passedOver: readonly CandidateReport[];
      /** Candidates still untried. */
      readonly open: readonly Ranked[];
      readonly account: Account;
    }
  | { readonly kind: 'refused'; readonly passedOver: readonly CandidateReport[]; readonly account: Account };

/** Asks the store, in one act, for leave to try the first of the open candidates that can be tried now. */
export async function admitNext(
  deps: GatewayDeps,
  call: ChatCall,
  state: { readonly payer: Payer; readonly open: readonly Ranked[]; readonly journey: Journey },
): Promise<AdmittedNext> {
  const { payer, open, journey } = state;
  const isLast = open.length === 1 || journey.attempts.length + 1 === attemptsMaxOf(call);
  const timeoutMs = attemptMs(journey.deadline, deps.clock.elapsedMs(), isLast);
  const holdId = deps.newHoldId();
  const admitted = await deps.store.admit({
    requestId: call.requestId,
    attempt: journey.attempts.length + 1,
    holdId,
    account: payer.account,
    defaultCap: payer.defaultCap,
    ceiling: ceilingOf(call, journey),
    candidates: open.map(({ candidate, bound }) => ({
      provider: candidate.provider.key,
      model: candidate.model.name,
      bound,
    })),
    attemptMs: timeoutMs,
  });
  const passedOver = admitted.refusals.map((refusal) => passOver(open, refusal, ceilingOf(call, journey)));
  if (admitted.kind === 'refused') return { kind: 'refused', passedOver, account: admitted.account };
  const { permit, account } = admitted;
  const place = open.findIndex((ranked) => isFor(ranked, permit));
  const chosen = open[place];
  if (chosen === undefined) throw new RangeError(`the store admitted ${permit.provider}, which nobody asked for`);
  return {
    kind: 'admitted',
    permit,
    model: chosen.candidate.model,
    attemptMs: timeoutMs,
    passedOver,
    open: open.slice(place + 1),
    account,
  };
}

/** The attempt that an admission allows, under its permit. */
export function taskOf(
  admitted: Extract<AdmittedNext, { kind: 'admitted' }>,
  place: OpenPermit,
  journey: Journey,
): Task {
  const { model, attemptMs: timeoutMs } = admitted;
  return { number: journey.attempts.length + 1, place, model, timeoutMs };
}

/** What the caller's own limit leaves for the next attempt. Null: no limit. */
export function ceilingOf(call: ChatCall, journey: Journey): PicoUsd | null {
  const { costMax } = call.request;
  return costMax === null ? null : subtractUsd(costMax, spentOn(journey));
}

function passOver(open: readonly Ranked[], refusal: AdmissionRefusal, ceiling: PicoUsd | null): CandidateReport {
  const ranked = open.find((known) => isFor(known, refusal));
  if (ranked === undefined) throw new RangeError(`the store refused ${refusal.provider}, which nobody asked for`);
  return {
    ...ranked.report,
    rank: null,
    score: null,
    scoreTerms: [],
    rejection: rejectionOfAdmission(refusal, ranked, ceiling),
  };
}

function rejectionOfAdmission({ why }: AdmissionRefusal, { bound }: Ranked, ceiling: PicoUsd | null) {
  switch (why.kind) {
    case 'overBudget':
      return overBudget(why.required, why.available);
    case 'overCostLimit':
      return overCostLimit(why.required, ceiling ?? why.required);
    default:
      return rejectionOfRefusal(why, bound);
  }
}

function isFor(ranked: Ranked, of: { readonly provider: string; readonly model: string }): boolean {
  return ranked.candidate.provider.key === of.provider && ranked.candidate.model.name === of.model;
}
