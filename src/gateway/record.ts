import { addUsd, maxUsd, type PicoUsd, picoUsd, ZERO_USD } from '../core/money.ts';
import type { Answered, ChatOutcome } from '../core/outcome.ts';
import { recordedErrorOf, statusOf } from '../core/record-of.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { epochMs } from '../core/time.ts';
import { costOfUsage } from '../core/usage.ts';
import type { Payer } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import type { Planned } from './planning.ts';

interface Trip {
  readonly payer: Payer;
  readonly planned: Planned;
  readonly outcome: ChatOutcome;
}

/** Writes the request log. A log that cannot be written never costs the caller an answer that was paid for. */
export async function recordFirmly(deps: GatewayDeps, call: ChatCall, trip: Trip): Promise<void> {
  try {
    await deps.store.record(recordOf(deps, call, trip));
  } catch (error) {
    deps.log.error('a request could not be recorded', { requestId: `req_${call.requestId}`, error: String(error) });
  }
}

function recordOf(deps: GatewayDeps, call: ChatCall, trip: Trip): RequestRecord {
  const { payer, planned, outcome } = trip;
  const { request } = call;
  const { attempts } = outcome.routing;
  const last = attempts.at(-1) ?? null;
  const isAnswered = outcome.kind === 'answered';
  return {
    id: call.requestId,
    createdAtMs: epochMs(planned.nowMs),
    status: isAnswered ? 'succeeded' : statusOf(outcome.why),
    door: call.door,
    isStreamed: call.onDelta !== null,
    account: payer.account,
    userId: payer.userId,
    modelRequested: request.model,
    provider: last?.provider ?? null,
    model: last?.model ?? null,
    category: planned.classification.category,
    fellBack: attempts.length > 1,
    usage: isAnswered ? outcome.usage : null,
    cost: outcome.cost,
    saved: isAnswered ? savedBy(deps, outcome) : ZERO_USD,
    timing: outcome.timing,
    finishReason: isAnswered ? outcome.answer.finishReason : null,
    error: isAnswered ? null : recordedErrorOf(outcome.why),
    routing: outcome.routing,
    metadata: request.metadata,
    conversationId: request.conversationId,
  };
}

/** What the same tokens would have cost more at the dearest eligible model. */
function savedBy(deps: GatewayDeps, outcome: Answered): PicoUsd {
  const costs = outcome.routing.candidates
    .filter((candidate) => candidate.rank !== null)
    .flatMap((candidate) => {
      const provider = deps.registry.providers.find((known) => known.key === candidate.provider);
      const model = provider?.models.find((known) => known.name === candidate.model);
      return model === undefined ? [] : [costOfUsage(outcome.usage, model.price).total];
    });
  const paid = addUsd(outcome.cost.input, outcome.cost.output);
  return picoUsd(costs.reduce(maxUsd, paid) - paid);
}
