import { type Bound, smallestHold } from './bound.ts';
import type { Candidate } from './candidates.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Rejection, RejectionReason } from './decision.ts';
import { droppedExtrasOf } from './extras.ts';
import type { AccountKey } from './ids.ts';
import { imageCountOf } from './message.ts';
import { formatPricePerMTok, formatUsd, type PicoUsd } from './money.ts';
import { budgetWordsOf, type Means, stopperOf } from './paying.ts';
import type { ProviderRefusal } from './provider-state.ts';
import type { Capability } from './registry.ts';
import type { EpochMs } from './time.ts';
import { hasTools } from './tool.ts';
import { usedParametersOf } from './used-parameters.ts';

const NO_SLOT = 'its rolling limit of requests per minute is used up';

/** What the filter needs to know of one candidate. */
export interface Considered {
  readonly candidate: Candidate;
  readonly bound: Bound;
  readonly inputTokens: number;
  /** Whether the answer is wanted piece by piece. */
  readonly isStreamed: boolean;
  /** Recent p95, or the registry's typical latency while too few answers are known. */
  readonly latencyMsP95: number;
  /** Why its provider cannot take an attempt now. Null when it can. */
  readonly refusal: ProviderRefusal | null;
}

/**
 * Why a candidate cannot answer. Null when it can. What no waiting can change comes first, so that "try again later" is
 * only said where it is true; money comes last, so that it is only named where nothing else stands in the way.
 */
export function rejectionOf(considered: Considered, request: ChatRequest, means: Means): Rejection | null {
  return (
    exclusionOf(considered.candidate, request) ??
    incapacityOf(considered, request) ??
    dearnessOf(considered, request) ??
    slownessOf(considered, request) ??
    (considered.refusal === null ? null : rejectionOfRefusal(considered.refusal, considered.bound)) ??
    povertyOf(considered.bound, means)
  );
}

/** Says a provider's refusal in the words of the decision, with what the candidate would need when the provider is back. */
export function rejectionOfRefusal(refusal: ProviderRefusal, bound: Bound): Rejection {
  return { ...wordsOf(refusal), required: smallestHold(bound) };
}

function wordsOf(refusal: ProviderRefusal): Rejection {
  switch (refusal.kind) {
    case 'disabled':
      return rejection('disabled', 'switched off by an operator; setProviderEnabled switches it on');
    case 'setAside':
      return rejection(
        'disabled',
        `it refused our credentials (${refusal.detail}): check its key, then setProviderEnabled`,
        refusal.untilMs,
      );
    case 'breakerOpen':
      return rejection('breakerOpen', 'its breaker is open after failures in a row', refusal.untilMs);
    case 'breakerProbing':
      return rejection('breakerProbing', 'its breaker is half open and the one probe is under way', refusal.untilMs);
    case 'throttled':
      return rejection('rateLimited', 'the provider itself asked us to wait', refusal.untilMs);
    case 'rateLimited':
      return rejection('rateLimited', NO_SLOT, refusal.untilMs);
    default:
      return refusal satisfies never;
  }
}

/** Whether a slot was missing. The provider's own wish that we wait, and retries used up, are told for the same reason. */
export function isWantOfSlot({ reason, detail }: Rejection): boolean {
  return reason === 'rateLimited' && detail === NO_SLOT;
}

/** It may not be asked as a second choice: too many of those have failed there lately. */
export function outOfRetries(): Rejection {
  return rejection('rateLimited', 'retries of this provider are used up for now');
}

export function overBudget(
  required: PicoUsd,
  of: { readonly account: AccountKey; readonly available: PicoUsd },
): Rejection {
  const detail = `needs ${formatUsd(required)} USD at worst, and ${formatUsd(of.available)} USD is free in the ${budgetWordsOf(of.account)}`;
  return { reason: 'overBudget', detail, untilMs: null, required };
}

export function overCostLimit(required: PicoUsd, ceiling: PicoUsd): Rejection {
  const detail = `costs up to ${formatUsd(required)} USD, above the limit of ${formatUsd(ceiling)} USD`;
  return { reason: 'overCostLimit', detail, untilMs: null, required };
}

function exclusionOf(candidate: Candidate, request: ChatRequest): Rejection | null {
  const { key } = candidate.provider;
  const { only, ignore, allowFallbacks } = request.preferences;
  if (only.length > 0 && !only.includes(key)) return rejection('excluded', 'not among the providers in `only`');
  if (ignore.includes(key)) return rejection('excluded', 'among the providers in `ignore`');
  if (candidate.tier === null && !allowFallbacks) {
    return rejection('excluded', 'not the model asked for, and `allowFallbacks` is off');
  }
  return null;
}

function incapacityOf(considered: Considered, request: ChatRequest): Rejection | null {
  const { model } = considered.candidate;
  const lack = lackOf(considered, request) ?? untakenOf(considered.candidate, request);
  if (lack !== null) return rejection('missingCapability', lack);
  if (considered.inputTokens + (request.maxOutputTokens ?? 1) > model.contextWindow) {
    return rejection(
      'contextTooLong',
      `about ${considered.inputTokens} tokens of input do not fit its ${model.contextWindow}`,
    );
  }
  return null;
}

/** What the request needs and the model cannot do. Null: it can do all. */
function lackOf({ candidate, isStreamed }: Considered, { prompt }: ChatRequest): string | null {
  const can = (capability: Capability) => candidate.model.capabilities.includes(capability);
  if (imageCountOf(prompt.messages) > 0 && !can('vision')) return 'it reads no images';
  if (isStreamed && !can('streaming')) return 'it does not stream';
  if (hasTools(prompt) && !can('tools')) return 'it calls no tools';
  if (prompt.responseFormat?.kind === 'json' && candidate.model.unsupportedParameters.includes('jsonObject')) {
    return 'it answers in JSON only by a schema';
  }
  if (prompt.responseFormat?.kind === 'jsonSchema' && !can('jsonSchema')) return 'it follows no JSON schema';
  return null;
}

/** What the caller wants taken and the model does not take. Null: nothing. */
function untakenOf({ provider, model }: Candidate, { prompt, preferences }: ChatRequest): string | null {
  if (!preferences.requireParameters) return null;
  const untaken = [
    ...usedParametersOf(prompt).filter((parameter) => model.unsupportedParameters.includes(parameter)),
    ...droppedExtrasOf(provider.kind, prompt.extras),
  ];
  return untaken.length === 0 ? null : `it does not take ${untaken.join(', ')}`;
}

function dearnessOf(considered: Considered, request: ChatRequest): Rejection | null {
  const { price } = considered.candidate.model;
  const { inputPriceMax, outputPriceMax } = request.preferences;
  if (inputPriceMax !== null && price.input > inputPriceMax) {
    return rejection('overMaxPrice', `its input costs ${formatPricePerMTok(price.input)} USD per million tokens`);
  }
  if (outputPriceMax !== null && price.output > outputPriceMax) {
    return rejection('overMaxPrice', `its output costs ${formatPricePerMTok(price.output)} USD per million tokens`);
  }
  const required = smallestHold(considered.bound);
  return request.costMax !== null && required > request.costMax ? overCostLimit(required, request.costMax) : null;
}

function slownessOf(considered: Considered, request: ChatRequest): Rejection | null {
  const { latencyMsMax } = request.preferences;
  if (latencyMsMax === null || considered.latencyMsP95 <= latencyMsMax) return null;
  return rejection('tooSlow', `its recent p95 is ${Math.round(considered.latencyMsP95)} ms, above ${latencyMsMax} ms`);
}

function povertyOf(bound: Bound, means: Means): Rejection | null {
  const required = smallestHold(bound);
  const stopper = stopperOf(means, required);
  return stopper === null ? null : overBudget(required, { account: stopper.account.key, available: stopper.available });
}

function rejection(reason: RejectionReason, detail: string, untilMs: EpochMs | null = null): Rejection {
  return { reason, detail, untilMs, required: null };
}
