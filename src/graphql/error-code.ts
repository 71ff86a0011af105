import { builder } from './builder.ts';

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'Stable failure codes shared by the GraphQL and REST doors.',
  values: {
    BUDGET_EXCEEDED: {
      value: 'BUDGET_EXCEEDED',
      description: "The user's budget cannot cover the request. REST: 402.",
    },
    COST_LIMIT_TOO_LOW: {
      value: 'COST_LIMIT_TOO_LOW',
      description: "The request's own `maxCostUsd` cannot be met by any eligible model. REST: 400.",
    },
    RATE_LIMITED: { value: 'RATE_LIMITED', description: 'The caller sends too many requests. REST: 429.' },
    NO_PROVIDER_AVAILABLE: {
      value: 'NO_PROVIDER_AVAILABLE',
      description: 'No provider is eligible right now. REST: 503.',
    },
    ALL_PROVIDERS_FAILED: { value: 'ALL_PROVIDERS_FAILED', description: 'Every attempted provider failed. REST: 502.' },
    TIMED_OUT: { value: 'TIMED_OUT', description: 'The time limit passed before an answer was complete. REST: 504.' },
    INVALID_INPUT: { value: 'INVALID_INPUT', description: 'The input is well-formed but not acceptable. REST: 400.' },
    IDEMPOTENCY_CONFLICT: {
      value: 'IDEMPOTENCY_CONFLICT',
      description: 'The idempotency key was already used with different input. REST: 409.',
    },
    NOT_FOUND: { value: 'NOT_FOUND', description: 'No object has that id. REST: 404.' },
    FEATURE_DISABLED: {
      value: 'FEATURE_DISABLED',
      description: 'The action is switched off on this gateway. REST: 403.',
    },
    CANCELLED: { value: 'CANCELLED', description: 'The caller cancelled the request. REST: 499.' },
  },
});
