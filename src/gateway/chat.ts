import type { AttemptReport, RoutingDecision } from '../core/decision.ts';
import { FAILURE_POLICY } from '../core/failure.ts';
import type { ProviderKey, RequestId } from '../core/ids.ts';
import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import { isUnavailable } from '../core/unavailable.ts';
import { reserve, taskOf } from './admit-next.ts';
import { makeAttempt } from './attempt.ts';
import { payerOf, usedKeyOf } from './caller.ts';
import type { ChatDeps, GatewayDeps } from './deps.ts';
import { decisionOf, endOf } from './ending.ts';
import type { ChatCall } from './gateway.ts';
import { type Journey, lastAttemptOf, mayGoOn, setOut, withAttempt, withPassedOver } from './journey.ts';
import { openPermit } from './open-permit.ts';
import { whyUnbounded } from './own-budget.ts';
import { planFor } from './planning.ts';
import { recordFirmly, viewOf } from './record.ts';

/** What happens to a chat on its way, for those who watch. */
export type ChatEvent =
  /** Leave was given for its first attempt, and the money for that is held. */
  | { readonly kind: 'started'; readonly requestId: RequestId; readonly routing: RoutingDecision }
  | {
      readonly kind: 'rerouted';
      readonly failed: AttemptReport;
      readonly provider: ProviderKey;
      readonly model: string;
    };

/**
 * One chat from beginning to end: classify and plan, then attempt after attempt (each admitted, called and settled), until
 * one answers, none is left, time is up, the caller leaves, or it is stopped. Every ending is recorded and returned. A caller who has
 * used up its limits, or may not bill whom it names, is told so, and nothing else happens. Time runs from `start`.
 */
export async function* chat(
  shared: GatewayDeps,
  asked: ChatCall,
  start: Journey = setOut(shared, asked),
): AsyncGenerator<ChatEvent, ChatOutcome | NotRun> {
  let journey = start;
  // To its end it goes by what is in force now, whatever the operator changes meanwhile.
  using taken = shared.configurations.take();
  const deps: ChatDeps = { ...shared, ...taken.configuration };
  using entry = await deps.limits.enter(asked, () => journey.attempts);
  if (entry.refused !== null) {
    deps.meters.callersLimited.add(1);
    return entry.refused;
  }
  const payer = payerOf(asked.caller, asked.request.userId, deps.budgetDefault);
  using live = deps.live.open(asked, { account: payer.account, apiKey: usedKeyOf(asked.caller) });
  const { call } = live;
  const planned = await planFor(deps, call, payer);
  const unbounded = whyUnbounded(asked, planned);
  if (unbounded !== null) return { kind: 'notRun', requestId: asked.requestId, why: unbounded };

  let open = planned.plan.ranked;
  while (open.length > 0 && mayGoOn(deps, call, journey)) {
    try {
      const admitted = await reserve(deps, call, { payer, open, journey });
      journey = withPassedOver(journey, admitted.passedOver, admitted.paying);
      if (admitted.kind === 'refused') break;

      using stake = admitted.stake;
      await using place = openPermit(deps, { ...admitted, span: call.span });
      const failed = lastAttemptOf(journey);
      const trip = { payer, planned, journey, permit: admitted.permit };
      live.move(() => viewOf(deps, call, trip), failed?.report ?? null);
      yield failed === null
        ? { kind: 'started', requestId: call.requestId, routing: decisionOf(planned, journey) }
        : { kind: 'rerouted', failed: failed.report, provider: admitted.permit.provider, model: admitted.permit.model };

      const attempt = await makeAttempt(deps, call, taskOf(admitted, place, journey));
      stake.end(attempt.report.outcome);
      deps.meters.attemptEnded(attempt);
      journey = withAttempt(journey, attempt, admitted.permit);
      if (attempt.kind === 'answered' || !FAILURE_POLICY[attempt.failure.kind].tryNext) break;
      // Whoever has read the beginning of one answer is not told the end of another.
      if (attempt.firstDeltaAtMs !== null) break;
      open = admitted.open;
    } catch (error) {
      // What was attempted may have cost money: it is told and recorded, although nothing more can be tried now.
      if (!isUnavailable(error) || journey.attempts.length === 0) throw error;
      break;
    }
  }

  const outcome = await endOf(deps, call, { payer, planned, journey });
  live.end(await recordFirmly(deps, call, { payer, planned, outcome }));
  deps.content.keep(call, { account: payer.account, outcome });
  deps.watchedBudgets.noteEnd(payer, outcome);
  deps.waiting.note(payer, outcome);
  return outcome;
}
