import { holdUnder, largestHold } from '../core/bound.ts';
import { minUsd, ZERO_USD } from '../core/money.ts';
import { affordableBy, type Means, meansOf } from '../core/paying.ts';
import type { Ranked } from '../core/plan.ts';
import { payerOf } from './caller.ts';
import type { ChatDeps } from './deps.ts';
import { decisionOf, refusalOf } from './ending.ts';
import type { ChatCall, Preview } from './gateway.ts';
import { setOut } from './journey.ts';
import { whyUnbounded } from './own-budget.ts';
import { planFor } from './planning.ts';

/** Plans a chat as `chat` would, and stops there: nothing is taken, called, held or recorded. */
export async function preview(deps: ChatDeps, call: ChatCall): Promise<Preview> {
  const journey = setOut(deps, call);
  const payer = payerOf(call.caller, call.request.userId, deps.budgetDefault);
  const planned = await planFor(deps, call, payer);
  const first = planned.plan.ranked[0];
  return {
    decision: decisionOf(planned, journey),
    selected: first?.report ?? null,
    blockedBy:
      (await deps.limits.whyKeptOut(call)) ??
      whyUnbounded(call, planned) ??
      (first === undefined ? await refusalOf(deps, { payer, planned, journey }) : null),
    estimatedInputTokens: planned.plan.inputTokens,
    reservation: first === undefined ? ZERO_USD : reservationFor(first, call, meansOf(planned, payer.defaultCap)),
  };
}

function reservationFor(first: Ranked, call: ChatCall, means: Means) {
  const affordable = affordableBy(means) ?? largestHold(first.bound);
  const ceiling = minUsd(affordable, call.request.costMax ?? affordable);
  return holdUnder(first.bound, ceiling)?.amount ?? ZERO_USD;
}
