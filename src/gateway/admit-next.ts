import { attemptMs, begunAttemptMs } from '../core/deadline.ts';
import type { CandidateReport, Rejection } from '../core/decision.ts';
import { type PicoUsd, subtractUsd } from '../core/money.ts';
import type { Paying } from '../core/paying.ts';
import type { Ranked } from '../core/plan.ts';
import { outOfRetries, overBudget, overCostLimit, rejectionOfRefusal } from '../core/reject.ts';
import type { AdmissionRefusal, Permit } from '../ports/admission.ts';
import type { Task } from './attempt.ts';
import type { Payer } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import { attemptsMaxOf, type Journey, spentOn } from './journey.ts';
import type { OpenPermit } from './open-permit.ts';
import type { RetryStake } from './retry-book.ts';

/** The next attempt's permit, or the news that none of the open candidates can take it. */
export type AdmittedNext =
  | (Leave & {
      /** What the attempt has put into the retry budget of its provider. */
      readonly stake: RetryStake;
      /** Candidates still untried. */
      readonly open: readonly Ranked[];
    })
  | Refused;

interface Leave {
  readonly kind: 'admitted';
  readonly permit: Permit;
  readonly ranked: Ranked;
  /** Until it must have answered, or begun to. */
  readonly beginMs: number;
  /** Until it must have ended: longer than `beginMs` where the answer is wanted piece by piece. */
  readonly attemptMs: number;
  /** Candidates better than the admitted one that could not take it at that moment. */
  readonly passedOver: readonly CandidateReport[];
  readonly paying: Paying;
}

interface Refused {
  readonly kind: 'refused';
  readonly passedOver: readonly CandidateReport[];
  /** Null when the store was not asked. */
  readonly paying: Paying | null;
}

interface Quest {
  readonly payer: Payer;
  readonly open: readonly Ranked[];
  readonly journey: Journey;
}

/** Asks for leave to try the first of the open candidates that can be tried now, and for the money. */
export async function reserve(deps: GatewayDeps, call: ChatCall, quest: Quest): Promise<AdmittedNext> {
  using step = call.span.reserve();
  const next = await admitNext(deps, call, quest);
  step.end({ admitted: next.kind === 'admitted' ? next.permit : null, passedOver: next.passedOver });
  return next;
}

function admitNext(deps: GatewayDeps, call: ChatCall, quest: Quest): Promise<AdmittedNext> {
  return quest.journey.attempts.length === 0 ? admitFirst(deps, call, quest) : admitRetry(deps, call, quest);
}

/** The first attempt: one act of the store for all candidates. */
async function admitFirst(deps: GatewayDeps, call: ChatCall, quest: Quest): Promise<AdmittedNext> {
  const { open } = quest;
  const asked = await ask(deps, call, { ...quest, isLast: open.length === 1 });
  if (asked.kind === 'refused') return asked;
  return { ...asked, stake: deps.retries.first(asked.permit.provider), open: after(asked.ranked, open) };
}

/**
 * A later attempt: candidate by candidate, each asked only once its token is taken. The token comes before the permit, so that
 * however many requests fail at one moment, no more of them go on than there are tokens, and no permit is taken in vain.
 */
async function admitRetry(deps: GatewayDeps, call: ChatCall, quest: Quest): Promise<AdmittedNext> {
  const { open } = quest;
  const passedOver: CandidateReport[] = [];
  let paying: Paying | null = null;
  for (const ranked of open) {
    const { key } = ranked.candidate.provider;
    using stack = new DisposableStack();
    const stake = deps.retries.retry(key);
    if (stake === null) {
      deps.meters.retriesRefused.add(1);
      passedOver.push(rejected(ranked, outOfRetries()));
      continue;
    }
    stack.use(stake);
    const left = after(ranked, open);
    const isLast = !left.some(({ candidate }) => deps.retries.hasToken(candidate.provider.key));
    const asked = await ask(deps, call, { ...quest, open: [ranked], isLast });
    passedOver.push(...asked.passedOver);
    paying = asked.paying;
    if (asked.kind === 'refused') continue;
    stack.move();
    return { ...asked, passedOver, stake, open: left };
  }
  return { kind: 'refused', passedOver, paying };
}

/** One act of the store. `isLast`: no other candidate can be tried after these. */
async function ask(
  deps: GatewayDeps,
  call: ChatCall,
  { payer, open, journey, isLast }: Quest & { readonly isLast: boolean },
): Promise<Leave | Refused> {
  const isFinal = isLast || journey.attempts.length + 1 === attemptsMaxOf(call);
  const nowMs = deps.clock.elapsedMs();
  const beginMs = attemptMs(journey.deadline, nowMs, isFinal);
  const longestMs = call.onDelta === null ? beginMs : begunAttemptMs(journey.deadline, nowMs);
  const admitted = await deps.store.admit({
    requestId: call.requestId,
    attempt: journey.attempts.length + 1,
    holdId: deps.newHoldId(),
    account: payer.account,
    also: payer.also,
    defaultCap: payer.defaultCap,
    ceiling: ceilingOf(call, journey),
    candidates: open.map(({ candidate, bound }) => ({
      provider: candidate.provider.key,
      model: candidate.model.name,
      bound,
    })),
    attemptMs: longestMs,
  });
  const passedOver = admitted.refusals.map((refusal) => passOver(open, refusal, ceilingOf(call, journey)));
  if (admitted.kind === 'refused') return { kind: 'refused', passedOver, paying: admitted };
  const { permit } = admitted;
  const ranked = open.find((known) => isFor(known, permit));
  if (ranked === undefined) throw new RangeError(`the store admitted ${permit.provider}, which nobody asked for`);
  return { kind: 'admitted', permit, ranked, beginMs, attemptMs: longestMs, passedOver, paying: admitted };
}

/** The candidates that stand behind one. */
function after(ranked: Ranked, open: readonly Ranked[]): readonly Ranked[] {
  return open.slice(open.indexOf(ranked) + 1);
}

/** The attempt that an admission allows, under its permit. */
export function taskOf(
  admitted: Extract<AdmittedNext, { kind: 'admitted' }>,
  place: OpenPermit,
  journey: Journey,
): Task {
  const { ranked, beginMs, attemptMs: longestMs } = admitted;
  return { number: journey.attempts.length + 1, place, model: ranked.candidate.model, beginMs, longestMs };
}

/** What the caller's own limit leaves for the next attempt. Null: no limit. */
export function ceilingOf(call: ChatCall, journey: Journey): PicoUsd | null {
  const { costMax } = call.request;
  return costMax === null ? null : subtractUsd(costMax, spentOn(journey));
}

function passOver(open: readonly Ranked[], refusal: AdmissionRefusal, ceiling: PicoUsd | null): CandidateReport {
  const ranked = open.find((known) => isFor(known, refusal));
  if (ranked === undefined) throw new RangeError(`the store refused ${refusal.provider}, which nobody asked for`);
  return rejected(ranked, rejectionOfAdmission(refusal, ranked, ceiling));
}

function rejected({ report }: Ranked, rejection: Rejection): CandidateReport {
  return { ...report, rank: null, score: null, scoreTerms: [], rejection };
}

function rejectionOfAdmission({ why }: AdmissionRefusal, { bound }: Ranked, ceiling: PicoUsd | null) {
  switch (why.kind) {
    case 'overBudget':
      return overBudget(why.required, why);
    case 'overCostLimit':
      return overCostLimit(why.required, ceiling ?? why.required);
    default:
      return rejectionOfRefusal(why, bound);
  }
}

function isFor(ranked: Ranked, of: { readonly provider: string; readonly model: string }): boolean {
  return ranked.candidate.provider.key === of.provider && ranked.candidate.model.name === of.model;
}
