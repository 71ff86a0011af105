import { fairAttemptMs } from '../core/deadline.ts';
import type { AttemptReport } from '../core/decision.ts';
import { AttemptAborted, abortFailure, type Failure } from '../core/failure.ts';
import { type PicoUsd, ZERO_USD } from '../core/money.ts';
import type { Paying } from '../core/paying.ts';
import type { Answer } from '../core/prompt.ts';
import type { ModelSpec } from '../core/registry.ts';
import type { Simulation } from '../core/simulation.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import { costOfUsage, type TokenUsage, type UsageCost } from '../core/usage.ts';
import { NO_STANDING, STANDING_OF_SUCCESS, standingOf } from '../core/verdict.ts';
import type { Charge, Permit } from '../ports/admission.ts';
import type { AttemptMeasure } from '../ports/meters.ts';
import type { ProviderResult } from '../ports/provider.ts';
import type { AttemptDone, Step } from '../ports/traces.ts';
import { limitAttempt } from './attempt-limit.ts';
import type { ChatDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import type { OpenPermit } from './open-permit.ts';
import { providerOf } from './planning.ts';
import { watchStream } from './stream-watch.ts';
import { unlessAborted } from './unless-aborted.ts';

/** One attempt, ended and settled. */
export type Attempt =
  | (Ended & { readonly kind: 'answered'; readonly answer: Answer; readonly cost: UsageCost })
  | (Ended & { readonly kind: 'failed'; readonly failure: Failure });

interface Ended extends AttemptMeasure {
  /** The accounts of those who pay, after the settle. Null when the store did not answer. */
  readonly paying: Paying | null;
  readonly warnings: readonly string[];
  /** Input and output together, as far as the provider said or they were counted. Null: nobody knows. */
  readonly tokens: number | null;
  /** When the caller got the first piece of its answer, by the monotonic clock. Null when it got none. */
  readonly firstDeltaAtMs: number | null;
}

/** What is to be attempted. */
export interface Task {
  readonly number: number;
  readonly place: OpenPermit;
  readonly model: ModelSpec;
  /** Until it must have answered, or begun to. */
  readonly beginMs: number;
  /** Until it must have ended. */
  readonly longestMs: number;
}

/** Calls one provider once under a permit, and settles what came of it. */
export async function makeAttempt(deps: ChatDeps, call: ChatCall, task: Task): Promise<Attempt> {
  const { place, model } = task;
  const { permit } = place;
  const { result, isSent, startedAtMs, firstDeltaAtMs, perChunkMs, isOutOfTime } = await callWithin(deps, call, task);
  const upstreamMs = deps.clock.elapsedMs() - startedAtMs;
  const durationMs = Math.round(upstreamMs);
  const told = {
    upstreamMs,
    firstDeltaAtMs,
    firstChunkMs: firstDeltaAtMs === null ? null : firstDeltaAtMs - startedAtMs,
    perChunkMs,
  };
  const base = { number: task.number, provider: permit.provider, model: permit.model, durationMs };
  if (result.kind === 'answered') {
    const { answer } = result;
    const cost = costOfUsage(answer.usage, model.price);
    const paying = await place.settle(chargeOf(answer.usage, cost), STANDING_OF_SUCCESS);
    deps.paces.note({ ...base, outputTokens: answer.usage.outputTokens });
    const report: AttemptReport = {
      ...base,
      outcome: 'succeeded',
      httpStatus: null,
      errorMessage: null,
      cost: cost.total,
      countedByBreaker: true,
    };
    return {
      kind: 'answered',
      report,
      answer,
      cost,
      paying,
      warnings: warningsOf(call, permit, model),
      usage: answer.usage,
      tokens: answer.usage.inputTokens + answer.usage.outputTokens,
      ...told,
    };
  }
  const { failure } = result;
  const charge = chargeOfFailure(result, model);
  // An answer that was still coming when the request's time was up says nothing bad of its provider.
  const wasComing = isOutOfTime && firstDeltaAtMs !== null;
  const standing = !isSent || wasComing || wasHurried(failure, task) ? NO_STANDING : standingOf(failure);
  const paying = await place.settle(charge, standing);
  const report: AttemptReport = {
    ...base,
    outcome: failure.kind,
    httpStatus: failure.httpStatus,
    errorMessage: failure.message,
    cost: amountOf(charge, permit),
    countedByBreaker: standing.verdict.kind === 'failure',
  };
  const usage = failure.billed === 'nothing' ? null : usageOf(result);
  return { kind: 'failed', report, failure, usage, paying, warnings: [], tokens: tokensOfFailure(result), ...told };
}

type Unanswered = Exclude<ProviderResult, { kind: 'answered' }>;

/** What a call without a complete answer costs: what was received of it where that can be counted, or else all that was held. */
function chargeOfFailure(result: Unanswered, model: ModelSpec): Charge {
  if (result.failure.billed === 'nothing') return { kind: 'nothing' };
  const usage = usageOf(result);
  return usage === null ? { kind: 'hold' } : chargeOf(usage, costOfUsage(usage, model.price));
}

function tokensOfFailure(result: Unanswered): number | null {
  if (result.failure.billed === 'nothing') return 0;
  const usage = usageOf(result);
  return usage === null ? null : usage.inputTokens + usage.outputTokens;
}

/** What was received. Null: it cannot be counted. */
function usageOf(result: Unanswered): TokenUsage | null {
  return result.kind === 'failed' || result.usage.source === 'estimated' ? null : result.usage;
}

function chargeOf(usage: TokenUsage, cost: UsageCost): Extract<Charge, { kind: 'spent' }> {
  return { kind: 'spent', amount: cost.total, source: usage.source };
}

function amountOf(charge: Charge, permit: Permit): PicoUsd {
  switch (charge.kind) {
    case 'spent':
      return charge.amount;
    case 'hold':
      return permit.held;
    case 'nothing':
      return ZERO_USD;
    default:
      return charge satisfies never;
  }
}

/** Whether our own time limit cut it off sooner than its model can be expected to answer. */
function wasHurried(failure: Failure, { model, beginMs }: Task): boolean {
  return failure.kind === 'timedOut' && failure.httpStatus === null && beginMs < fairAttemptMs(model);
}

/** Tells a caller when money, or the model's own limit, allowed fewer output tokens than asked for. */
function warningsOf(call: ChatCall, permit: Permit, model: ModelSpec): readonly string[] {
  const asked = call.request.maxOutputTokens ?? model.maxOutputTokens;
  return permit.outputTokens < asked
    ? [`the answer was limited to ${permit.outputTokens} output tokens by the budget, maxCostUsd or the model`]
    : [];
}

interface CallEnd {
  /** When the provider was asked, by the monotonic clock: what came before is our own time. */
  readonly startedAtMs: number;
  readonly result: ProviderResult;
  /** False when the attempt was over before the provider was asked. */
  readonly isSent: boolean;
  readonly firstDeltaAtMs: number | null;
  readonly perChunkMs: number | null;
  /** Our own limit ended it, and not a provider that fell silent. */
  readonly isOutOfTime: boolean;
}

/** The call itself, or the simulated failure in its place, ended by its own deadline or by the caller who leaves. */
async function callWithin(deps: ChatDeps, call: ChatCall, task: Task): Promise<CallEnd> {
  const { model } = task;
  const { permit } = task.place;
  const ending = new AbortController();
  const leave = () => ending.abort(new AttemptAborted('cancelled'));
  // A listener that is removed: AbortSignal.any keeps every attempt's signal alive as long as the connection's.
  call.signal.addEventListener('abort', leave);
  try {
    if (call.signal.aborted) leave();
    const giveUp = () => ending.abort(new AttemptAborted('timedOut'));
    using limit = limitAttempt({ ...task, clock: deps.clock, giveUp });
    const provider = providerOf(deps, permit.provider);
    const request = { model, prompt: call.request.prompt, maxOutputTokens: permit.outputTokens };
    const simulation = await drawSimulation(deps, permit);
    // A disk that takes its time does not take the caller's: nothing leaves before it is on record that it does.
    if (!ending.signal.aborted) await unlessAborted(task.place.dispatch(), ending.signal);
    const startedAtMs = deps.clock.elapsedMs();
    using step = openStep(call, task);
    const { onDelta } = call;
    using watch =
      onDelta === null ? null : watchStream({ model, clock: deps.clock, onDelta, onFirst: limit.begun, giveUp });
    const isSent = !ending.signal.aborted;
    const ask = () =>
      simulation === null
        ? provider.call(request, ending.signal, watch?.onDelta)
        : deps.simulator({ provider, simulation }, request, ending.signal, watch?.onDelta);
    const result = isSent ? await ask() : notSent(ending.signal);
    const firstDeltaAtMs = watch?.firstAtMs() ?? null;
    step.end(doneOf(result, firstDeltaAtMs === null ? null : firstDeltaAtMs - startedAtMs));
    const pace = { firstDeltaAtMs, perChunkMs: watch?.perPieceMs() ?? null };
    return { startedAtMs, result, isSent, ...pace, isOutOfTime: limit.isOver() };
  } finally {
    call.signal.removeEventListener('abort', leave);
  }
}

function openStep({ span, onDelta }: ChatCall, { place, number }: Task): Step<AttemptDone> {
  const { provider, model, outputTokens } = place.permit;
  return span.attempt({ provider, model, number, isStreamed: onDelta !== null, outputTokensMax: outputTokens });
}

function doneOf(result: ProviderResult, firstChunkMs: number | null): AttemptDone {
  if (result.kind !== 'answered') {
    return { failure: result.failure, usage: usageOf(result), finishReason: null, firstChunkMs };
  }
  const { usage, finishReason } = result.answer;
  return { failure: null, usage, finishReason, firstChunkMs };
}

function notSent(signal: AbortSignal): ProviderResult {
  return { kind: 'failed', failure: abortFailure(signal, { billed: 'nothing' }) };
}

/** The simulation to play on this attempt, if chance and its own limit say so. Null: none. */
async function drawSimulation(deps: ChatDeps, permit: Permit): Promise<Simulation | null> {
  const { simulation, provider } = permit;
  // The store is everybody's: another replica may allow what this one does not.
  if (simulation === null || !deps.areSimulationsEnabled || deps.chance.next() >= simulation.rate) return null;
  try {
    return (await deps.store.claimSimulatedFailure(provider)) ? simulation : null;
  } catch (error) {
    // A failure that nobody can count is not played: the attempt itself needs no store.
    if (error instanceof StoreUnavailable) return null;
    throw error;
  }
}
