import type { InputIssue } from '../core/outcome.ts';
import { budgetAsItStood, presentBudget } from './budget-shape.ts';
import { builder, type Types } from './builder.ts';
import { ErrorCodeEnum } from './error-code.ts';
import type {
  AllProvidersFailedShape,
  BudgetExceededShape,
  CancelledShape,
  CostLimitTooLowShape,
  FailureShape,
  FeatureDisabledShape,
  IdempotencyConflictShape,
  InvalidInputShape,
  NoProviderAvailableShape,
  NotFoundShape,
  RateLimitedShape,
  TimedOutShape,
} from './failure-shape.ts';
import { requestGlobalId } from './global-id.ts';
import { BudgetRef, RateLimitRef, RoutingDecisionRef } from './refs.ts';

/** Each failure's type: the one list that the interface and the result unions read. */
export const ERROR_TYPES = {
  budgetExceeded: 'BudgetExceededError',
  costLimitTooLow: 'CostLimitTooLowError',
  rateLimited: 'RateLimitedError',
  noProviderAvailable: 'NoProviderAvailableError',
  allProvidersFailed: 'AllProvidersFailedError',
  timedOut: 'TimedOutError',
  invalidInput: 'InvalidInputError',
  idempotencyConflict: 'IdempotencyConflictError',
  notFound: 'NotFoundError',
  featureDisabled: 'FeatureDisabledError',
  cancelled: 'CancelledError',
} as const satisfies Record<FailureShape['kind'], string>;

/** A failure of any kind; the fields all kinds share. */
export const ApiErrorRef = builder.interfaceRef<FailureShape>('ApiError').implement({
  description:
    'A failure the caller is expected to handle. Every error type of a result union implements it, so one fragment handles errors added later.',
  resolveType: ({ kind }) => ERROR_TYPES[kind],
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'One plain sentence for a person: what happened and what to do next.',
    }),
    code: t.expose('code', {
      type: ErrorCodeEnum,
      description: 'Stable code for programs. The REST door sends the same code, lower-cased, as `error.code`.',
    }),
    retryable: t.exposeBoolean('isRetryable', {
      description: 'True when the same request may succeed later without any change.',
    }),
    retryAfterMs: t.int({
      description:
        'How long to wait before trying again, when known. The REST door sends it as `retry-after` and `retry-after-ms`.',
      nullable: true,
      resolve: ({ retryAfterMs }) => (retryAfterMs === null ? null : Math.ceil(retryAfterMs)),
    }),
    requestId: t.id({
      description: 'The request this failure belongs to, if one was recorded.',
      nullable: true,
      resolve: ({ requestId }) => (requestId === null ? null : requestGlobalId(requestId)),
    }),
  }),
});

const InputIssueRef = builder.objectRef<InputIssue>('InputIssue').implement({
  description: 'One problem in the input.',
  fields: (t) => ({
    path: t.exposeStringList('path', { description: 'Path to the field, such as `["messages", "0", "content"]`.' }),
    message: t.exposeString('message', { description: 'What is wrong with it.' }),
  }),
});

/** What each type says of the shared fields in its own words. */
interface SharedWords {
  readonly message: string;
  readonly code: string;
  readonly retryable: string;
  readonly retryAfterMs: string;
  readonly requestId: string;
}

function sharedFields<Shape extends FailureShape>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>,
  words: SharedWords,
) {
  return {
    message: t.string({ description: words.message, resolve: ({ message }) => message }),
    code: t.field({ type: ErrorCodeEnum, description: words.code, resolve: ({ code }) => code }),
    retryable: t.boolean({ description: words.retryable, resolve: ({ isRetryable }) => isRetryable }),
    retryAfterMs: t.int({
      description: words.retryAfterMs,
      nullable: true,
      resolve: ({ retryAfterMs }) => (retryAfterMs === null ? null : Math.ceil(retryAfterMs)),
    }),
    requestId: t.id({
      description: words.requestId,
      nullable: true,
      resolve: ({ requestId }) => (requestId === null ? null : requestGlobalId(requestId)),
    }),
  };
}

export const BudgetExceededErrorRef = builder.objectRef<BudgetExceededShape>('BudgetExceededError').implement({
  description: "The user's budget cannot cover the request. Nothing was spent.",
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always BUDGET_EXCEEDED.',
      retryable:
        'True when the money is only reserved by running requests and may be given back; false when it is spent.',
      retryAfterMs: 'Set when `retryable` is true.',
      requestId: 'The refused request.',
    }),
    budget: t.field({
      type: BudgetRef,
      description: 'The budget as it stood.',
      resolve: ({ payer }, _args, context) =>
        payer.kind === 'asItStood' ? budgetAsItStood(payer.account, context) : presentBudget(payer.account, context),
    }),
    requiredUsd: t.expose('required', {
      type: 'Decimal',
      description: 'What the cheapest eligible choice would have needed.',
    }),
  }),
});

export const CostLimitTooLowErrorRef = builder.objectRef<CostLimitTooLowShape>('CostLimitTooLowError').implement({
  description: "No eligible model fits into the request's own `maxCostUsd`.",
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always COST_LIMIT_TOO_LOW.',
      retryable: 'Always false.',
      retryAfterMs: 'Always null.',
      requestId: 'The refused request.',
    }),
    requiredUsd: t.expose('required', { type: 'Decimal', description: 'The smallest limit that would have worked.' }),
  }),
});

export const RateLimitedErrorRef = builder.objectRef<RateLimitedShape>('RateLimitedError').implement({
  description: 'The caller sends too many requests.',
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always RATE_LIMITED.',
      retryable: 'Always true.',
      retryAfterMs: 'When to try again.',
      requestId: 'The refused request.',
    }),
    rateLimit: t.expose('rateLimit', { type: RateLimitRef, description: 'The limit as it stood.' }),
  }),
});

export const NoProviderAvailableErrorRef = builder
  .objectRef<NoProviderAvailableShape>('NoProviderAvailableError')
  .implement({
    description: 'Nobody could take the request; no call was made.',
    interfaces: [ApiErrorRef],
    fields: (t) => ({
      ...sharedFields(t, {
        message: 'What happened and what to do next.',
        code: 'Always NO_PROVIDER_AVAILABLE.',
        retryable: 'True when a breaker or a rate limit will let traffic through again.',
        retryAfterMs: 'Until the first candidate comes back.',
        requestId: 'The refused request.',
      }),
      routing: t.expose('routing', {
        type: RoutingDecisionRef,
        description: 'Every candidate with the reason it was refused.',
      }),
    }),
  });

export const AllProvidersFailedErrorRef = builder
  .objectRef<AllProvidersFailedShape>('AllProvidersFailedError')
  .implement({
    description: 'Every attempted provider failed.',
    interfaces: [ApiErrorRef],
    fields: (t) => ({
      ...sharedFields(t, {
        message: 'What happened and what to do next.',
        code: 'Always ALL_PROVIDERS_FAILED.',
        retryable: 'Usually true.',
        retryAfterMs: 'When to try again, when known.',
        requestId: 'The failed request.',
      }),
      routing: t.expose('routing', { type: RoutingDecisionRef, description: 'Every attempt and how it failed.' }),
    }),
  });

export const TimedOutErrorRef = builder.objectRef<TimedOutShape>('TimedOutError').implement({
  description: 'The time limit passed.',
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always TIMED_OUT.',
      retryable: 'Usually true.',
      retryAfterMs: 'When to try again, when known.',
      requestId: 'The failed request.',
    }),
    timeoutMs: t.exposeInt('timeoutMs', { description: 'The limit that passed.' }),
  }),
});

export const InvalidInputErrorRef = builder.objectRef<InvalidInputShape>('InvalidInputError').implement({
  description: 'The input is not acceptable.',
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always INVALID_INPUT.',
      retryable: 'Always false.',
      retryAfterMs: 'Always null.',
      requestId: 'The refused request.',
    }),
    issues: t.expose('issues', { type: [InputIssueRef], description: 'Every problem found, not only the first.' }),
  }),
});

export const IdempotencyConflictErrorRef = builder
  .objectRef<IdempotencyConflictShape>('IdempotencyConflictError')
  .implement({
    description: 'The idempotency key was already used with different input.',
    interfaces: [ApiErrorRef],
    fields: (t) => ({
      ...sharedFields(t, {
        message: 'What happened and what to do next.',
        code: 'Always IDEMPOTENCY_CONFLICT.',
        retryable: 'Always false.',
        retryAfterMs: 'Always null.',
        requestId: 'The request that used the key first.',
      }),
    }),
  });

export const NotFoundErrorRef = builder.objectRef<NotFoundShape>('NotFoundError').implement({
  description: 'No object has that id.',
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always NOT_FOUND.',
      retryable: 'Always false.',
      retryAfterMs: 'Always null.',
      requestId: 'Always null.',
    }),
  }),
});

export const FeatureDisabledErrorRef = builder.objectRef<FeatureDisabledShape>('FeatureDisabledError').implement({
  description: 'The action is switched off on this gateway.',
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened and what to do next.',
      code: 'Always FEATURE_DISABLED.',
      retryable: 'Always false.',
      retryAfterMs: 'Always null.',
      requestId: 'Always null.',
    }),
  }),
});

// No union holds it: it is met through the interface alone, on a recorded request.
builder.objectRef<CancelledShape>('CancelledError').implement({
  description: 'The caller cancelled the request.',
  interfaces: [ApiErrorRef],
  fields: (t) => ({
    ...sharedFields(t, {
      message: 'What happened.',
      code: 'Always CANCELLED.',
      retryable: 'Always false.',
      retryAfterMs: 'Always null.',
      requestId: 'The cancelled request.',
    }),
  }),
});
