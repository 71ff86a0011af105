import type { CandidateReport, RejectionReason } from './decision.ts';
import { formatUsd, minUsd, type PicoUsd, ZERO_USD } from './money.ts';
import type { RateLimitState, Unanswered } from './outcome.ts';
import { budgetWordsOf, type Means, type Purse, stopperOf, tightestOf, unspentIn } from './paying.ts';
import type { EpochMs } from './time.ts';

/** Money that is only held comes back when the running requests end; nobody knows when, so this is a polite guess. */
const HELD_RETRY_MS = 1_000;

/** What no waiting can change: such a candidate says nothing about whether to try again. */
const LASTING: readonly RejectionReason[] = [
  'excluded',
  'missingCapability',
  'contextTooLong',
  'overMaxPrice',
  'tooSlow',
];

/** What stood when nobody could take a request. */
export interface NobodyTook {
  readonly rejected: readonly CandidateReport[];
  /** What those who pay can spend. */
  readonly means: Means;
  readonly nowMs: EpochMs;
  /** The rolling limit of the provider that is free first. Asked for only when limits alone stand in the way. */
  readonly rateLimitOf: (candidate: CandidateReport) => RateLimitState;
}

/** Why a request was refused before any call: the one reason to tell the caller, out of the reasons of all candidates. */
export function whyNobody(state: NobodyTook): Unanswered {
  const open = state.rejected.filter((candidate) => !LASTING.includes(reasonOf(candidate)));
  const within = open.filter((candidate) => reasonOf(candidate) !== 'overCostLimit');
  if (open.length > 0 && within.length === 0) return costLimitTooLow(cheapestOf(open));
  const poor = within.filter((candidate) => isTooDear(candidate, state.means));
  const affordable = within.filter((candidate) => !poor.includes(candidate));
  const first = firstBack(affordable);
  if (poor.length > 0 && !isSoonerThanMoney(first, poor, state)) {
    const required = cheapestOf(poor);
    // Money that has come back since is enough now: then it is said of whoever has least.
    const purse = stopperOf(state.means, required) ?? tightestOf(state.means);
    if (purse !== null) return budgetExceeded(purse, required);
  }
  if (first !== null && affordable.every((candidate) => reasonOf(candidate) === 'rateLimited')) {
    return rateLimited(state, first, poor.length > 0);
  }
  return noProviderAvailable(state, first);
}

/** Whether money is what a candidate lacks, now or when it is back: then waiting for its provider alone does not help. */
function isTooDear(candidate: CandidateReport, means: Means): boolean {
  const { rejection } = candidate;
  if (rejection?.reason === 'overBudget') return true;
  if (rejection === null || rejection.untilMs === null || rejection.required === null) return false;
  const { required } = rejection;
  return means.some((purse) => required > unspentIn(purse));
}

/** Whether the caller is served by waiting for an affordable candidate: money does not come back by itself, or later. */
function isSoonerThanMoney(
  first: Returning | null,
  poor: readonly CandidateReport[],
  { means, nowMs }: NobodyTook,
): boolean {
  return first !== null && (!isOnlyHeld(means, cheapestOf(poor)) || waitMs(first, nowMs) <= HELD_RETRY_MS);
}

/** Whether what running requests hold would make up for what is missing, to everybody who pays. */
function isOnlyHeld(means: Means, required: PicoUsd): boolean {
  const isAnyHeld = means.some(({ account }) => account.held > 0n);
  return isAnyHeld && means.every((purse) => unspentIn(purse) >= required);
}

function budgetExceeded(purse: Purse, required: PicoUsd): Unanswered {
  const { account } = purse;
  const isRetryable = isOnlyHeld([purse], required);
  const whose = `The ${budgetWordsOf(account.key)}`;
  return {
    kind: 'budgetExceeded',
    code: 'BUDGET_EXCEEDED',
    message: isRetryable
      ? `${whose} cannot cover this request while others run: ${formatUsd(account.held)} USD is reserved. Try again when they have ended.`
      : `${whose} cannot cover this request: it needs ${formatUsd(required)} USD. Raise the budget, or ask for less with maxOutputTokens or a shorter prompt.`,
    isRetryable,
    retryAfterMs: isRetryable ? HELD_RETRY_MS : null,
    account,
    required,
  };
}

function costLimitTooLow(required: PicoUsd): Unanswered {
  return {
    kind: 'costLimitTooLow',
    code: 'COST_LIMIT_TOO_LOW',
    message: `No eligible model fits into maxCostUsd: at least ${formatUsd(required)} USD is needed. Raise it, or set a smaller maxOutputTokens.`,
    isRetryable: false,
    retryAfterMs: null,
    required,
  };
}

function rateLimited(state: NobodyTook, first: Returning, areOthersTooDear: boolean): Unanswered {
  const retryAfterMs = waitMs(first, state.nowMs);
  const who = areOthersTooDear ? 'Every provider that fits into the budget' : 'Every provider that could answer';
  return {
    kind: 'rateLimited',
    code: 'RATE_LIMITED',
    message: `${who} has used up its rate limit. Try again in ${retryAfterMs} ms.`,
    isRetryable: true,
    retryAfterMs,
    rateLimit: state.rateLimitOf(first.candidate),
  };
}

function noProviderAvailable(state: NobodyTook, first: Returning | null): Unanswered {
  const advice =
    first === null
      ? 'Loosen the routing preferences, or ask an operator to enable a provider.'
      : `Try again in ${waitMs(first, state.nowMs)} ms.`;
  return {
    kind: 'noProviderAvailable',
    code: 'NO_PROVIDER_AVAILABLE',
    message: `No provider can take this request now; routing.candidates says why for each. ${advice}`,
    isRetryable: first !== null,
    retryAfterMs: first === null ? null : waitMs(first, state.nowMs),
  };
}

interface Returning {
  readonly candidate: CandidateReport;
  readonly untilMs: EpochMs;
}

/** The candidate that comes back first. Null when none is known to. */
function firstBack(candidates: readonly CandidateReport[]): Returning | null {
  const returning = candidates.flatMap((candidate) => {
    const untilMs = candidate.rejection?.untilMs ?? null;
    return untilMs === null ? [] : [{ candidate, untilMs }];
  });
  return returning.toSorted((one, other) => one.untilMs - other.untilMs)[0] ?? null;
}

function waitMs(first: Returning, nowMs: EpochMs): number {
  return Math.max(first.untilMs - nowMs, 1);
}

function cheapestOf(candidates: readonly CandidateReport[]): PicoUsd {
  const amounts = candidates.flatMap((candidate) => candidate.rejection?.required ?? []);
  return amounts.length === 0 ? ZERO_USD : amounts.reduce(minUsd);
}

function reasonOf(candidate: CandidateReport): RejectionReason {
  if (candidate.rejection === null) throw new RangeError('a candidate that nobody refused cannot explain a refusal');
  return candidate.rejection.reason;
}
