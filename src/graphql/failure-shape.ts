import type { RoutingDecision } from '../core/decision.ts';
import type { AccountKey, ProviderKey, RequestId } from '../core/ids.ts';
import { ZERO_USD } from '../core/money.ts';
import type { IdempotencyConflict, NotRun, RateLimitState, Refusal, Unanswered } from '../core/outcome.ts';
import { findProvider, type Registry } from '../core/registry.ts';
import type { RecordedError, RoutedView } from '../core/request-record.ts';
import type { FeatureDisabled, InvalidInput, NotFound } from '../gateway/gateway.ts';

/** `requestId` is null when no request was recorded. */
interface Told {
  readonly requestId: RequestId | null;
}

type Named<Kind extends Unanswered['kind']> = Extract<Unanswered, { readonly kind: Kind }> & Told;

interface Routed {
  readonly routing: RoutingDecision;
}

/** Whose budget it was: the account as it stood, or only the payer's when just the present state can be shown. */
export type Payer =
  | { readonly kind: 'asItStood'; readonly account: Named<'budgetExceeded'>['account'] }
  | { readonly kind: 'present'; readonly account: AccountKey };

export type BudgetExceededShape = Omit<Named<'budgetExceeded'>, 'account'> & { readonly payer: Payer };
export type CostLimitTooLowShape = Named<'costLimitTooLow'>;
export type RateLimitedShape = Named<'rateLimited'>;
export type NoProviderAvailableShape = Named<'noProviderAvailable'> & Routed;
export type AllProvidersFailedShape = Named<'allProvidersFailed'> & Routed;
export type TimedOutShape = Named<'timedOut'>;
export type CancelledShape = Named<'cancelled'>;
export type InvalidInputShape = InvalidInput & Told;
export type IdempotencyConflictShape = IdempotencyConflict & Told;
export type NotFoundShape = NotFound & Told;
export type FeatureDisabledShape = FeatureDisabled & Told;

/** Every failure that a caller is expected to handle, with what its type shows. */
export type FailureShape =
  | BudgetExceededShape
  | CostLimitTooLowShape
  | RateLimitedShape
  | NoProviderAvailableShape
  | AllProvidersFailedShape
  | TimedOutShape
  | CancelledShape
  | InvalidInputShape
  | IdempotencyConflictShape
  | NotFoundShape
  | FeatureDisabledShape;

/** A refusal for which no request was recorded. */
export function unrecorded<Kind extends InvalidInput | NotFound | FeatureDisabled>(refusal: Kind): Kind & Told {
  return { ...refusal, requestId: null };
}

/** Why a chat ended, or would end, without an answer. */
export function failureOf(
  why: Unanswered,
  of: Told & Routed,
): Exclude<FailureShape, InvalidInputShape | IdempotencyConflictShape | NotFoundShape | FeatureDisabledShape> {
  const { requestId, routing } = of;
  switch (why.kind) {
    case 'budgetExceeded': {
      const { account, ...rest } = why;
      return { ...rest, requestId, payer: { kind: 'asItStood', account } };
    }
    case 'noProviderAvailable':
    case 'allProvidersFailed':
      return { ...why, requestId, routing };
    case 'costLimitTooLow':
    case 'rateLimited':
    case 'timedOut':
    case 'cancelled':
      return { ...why, requestId };
    default:
      return why satisfies never;
  }
}

/** Why a sending ran nothing. The request it belongs to is the one that has its idempotency key; of what its caller may use, none. */
export function failureOfNotRun({
  why,
  requestId,
}: NotRun): IdempotencyConflictShape | TimedOutShape | CancelledShape | RateLimitedShape | InvalidInputShape {
  return why.kind === 'rateLimited' || why.kind === 'invalidInput'
    ? { ...why, requestId: null }
    : { ...why, requestId };
}

/** The failure of a recorded request, as far as the record tells: what it did not keep is filled in from the decision. */
export function failureOfRecord(record: RoutedView, error: RecordedError, registry: Registry): FailureShape {
  const { code, message, isRetryable, retryAfterMs } = error;
  const told: Refusal & Told = { code, message, isRetryable, retryAfterMs, requestId: record.id };
  const required = error.required ?? ZERO_USD;
  switch (code) {
    case 'BUDGET_EXCEEDED':
      return { ...told, kind: 'budgetExceeded', required, payer: { kind: 'present', account: record.account } };
    case 'COST_LIMIT_TOO_LOW':
      return { ...told, kind: 'costLimitTooLow', required };
    case 'RATE_LIMITED':
      return { ...told, kind: 'rateLimited', rateLimit: rateLimitOf(record, registry) };
    case 'NO_PROVIDER_AVAILABLE':
      return { ...told, kind: 'noProviderAvailable', routing: record.routing };
    case 'ALL_PROVIDERS_FAILED':
      return { ...told, kind: 'allProvidersFailed', routing: record.routing };
    case 'TIMED_OUT':
      return { ...told, kind: 'timedOut', timeoutMs: error.timeoutMs ?? 0 };
    case 'CANCELLED':
      return { ...told, kind: 'cancelled' };
    case 'INVALID_INPUT':
      return { ...told, kind: 'invalidInput', issues: [] };
    case 'IDEMPOTENCY_CONFLICT':
      return { ...told, kind: 'idempotencyConflict' };
    case 'NOT_FOUND':
      return { ...told, kind: 'notFound' };
    case 'FEATURE_DISABLED':
      return { ...told, kind: 'featureDisabled' };
    default:
      return code satisfies never;
  }
}

/** The limit that was used up, by the first candidate that was refused for it. */
function rateLimitOf(record: RoutedView, registry: Registry): RateLimitState {
  const full = record.routing.candidates.find((candidate) => candidate.rejection?.reason === 'rateLimited');
  const limit = full === undefined ? 0 : limitOf(full.provider, registry);
  return { limit, used: limit, freeAtMs: full?.rejection?.untilMs ?? null };
}

function limitOf(provider: ProviderKey, registry: Registry): number {
  return findProvider(registry, provider)?.requestsPerMinute ?? 0;
}
