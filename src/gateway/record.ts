import { addUsd, maxUsd, type PicoUsd, picoUsd, ZERO_USD } from '../core/money.ts';
import type { Answered, ChatOutcome } from '../core/outcome.ts';
import { recordedErrorOf, statusOf } from '../core/record-of.ts';
import type { RequestRecord, RequestView } from '../core/request-record.ts';
import { epochMs } from '../core/time.ts';
import { traceOf } from '../core/trace-of.ts';
import { costOfUsage } from '../core/usage.ts';
import type { Permit } from '../ports/admission.ts';
import { type Payer, usedKeyOf } from './caller.ts';
import type { ChatDeps } from './deps.ts';
import { costOf, decisionOf, timingOf } from './ending.ts';
import type { ChatCall } from './gateway.ts';
import type { Journey } from './journey.ts';
import type { Planned } from './planning.ts';

interface Trip {
  readonly payer: Payer;
  readonly planned: Planned;
  readonly outcome: ChatOutcome;
}

/** Writes the request log. A log that cannot be written never costs the caller an answer that was paid for. */
export async function recordFirmly(deps: ChatDeps, call: ChatCall, trip: Trip): Promise<RequestRecord> {
  const record = recordOf(deps, call, trip);
  deps.meters.requestEnded(record);
  try {
    await deps.store.record(record);
  } catch (error) {
    deps.meters.logRowsDropped.add(1);
    const { requestId, span } = call;
    const fields = { requestId: `req_${requestId}`, ...traceOf(span), error: String(error) };
    deps.log.error('a request could not be recorded', fields);
  }
  return record;
}

/** A request of which an attempt is being made, as it is at this moment. */
export function viewOf(
  deps: ChatDeps,
  call: ChatCall,
  trip: Omit<Trip, 'outcome'> & { readonly journey: Journey; readonly permit: Permit },
): RequestView {
  const { planned, journey, permit } = trip;
  const cost = costOf(deps, journey);
  return {
    ...basisOf(call, trip),
    status: 'running',
    provider: permit.provider,
    model: permit.model,
    fellBack: journey.attempts.length > 0,
    usage: null,
    cost: { ...cost, reserved: maxUsd(cost.reserved, permit.held) },
    saved: ZERO_USD,
    timing: timingOf(deps, journey),
    finishReason: null,
    error: null,
    routing: decisionOf(planned, journey),
  };
}

/** What is known of a request as soon as it is planned. */
function basisOf(
  { requestId, door, onDelta, request, caller, span }: ChatCall,
  { payer, planned }: Omit<Trip, 'outcome'>,
) {
  return {
    id: requestId,
    createdAtMs: epochMs(planned.nowMs),
    door,
    isStreamed: onDelta !== null,
    account: payer.account,
    apiKey: usedKeyOf(caller),
    userId: payer.userId,
    modelRequested: request.model,
    category: planned.classification.category,
    metadata: request.metadata,
    conversationId: request.conversationId,
    traceId: span.traceId,
  };
}

function recordOf(deps: ChatDeps, call: ChatCall, trip: Trip): RequestRecord {
  const { outcome } = trip;
  const { attempts } = outcome.routing;
  const last = attempts.at(-1) ?? null;
  const isAnswered = outcome.kind === 'answered';
  return {
    ...basisOf(call, trip),
    status: isAnswered ? 'succeeded' : statusOf(outcome.why),
    provider: last?.provider ?? null,
    model: last?.model ?? null,
    fellBack: attempts.length > 1,
    usage: isAnswered ? outcome.usage : null,
    cost: outcome.cost,
    saved: isAnswered ? savedBy(deps, outcome) : ZERO_USD,
    timing: outcome.timing,
    finishReason: isAnswered ? outcome.answer.finishReason : null,
    error: isAnswered ? null : recordedErrorOf(outcome.why),
    routing: outcome.routing,
  };
}

/** What the same tokens would have cost more at the dearest eligible model. */
function savedBy(deps: ChatDeps, outcome: Answered): PicoUsd {
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
