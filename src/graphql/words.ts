import type { AttemptOutcome } from '../core/decision.ts';
import type { FailureKind } from '../core/failure.ts';
import { builder } from './builder.ts';

// Words that several nouns use. Each name of the contract stands for the word the core uses inside.

export const CategoryEnum = builder.enumType('RequestCategory', {
  description: 'Kinds of prompts.',
  values: {
    CODE: { value: 'code', description: 'Writing or fixing programs.' },
    WRITING: { value: 'writing', description: 'Prose of any kind.' },
    ANALYSIS: { value: 'analysis', description: 'Reasoning over facts or data.' },
    GENERAL: { value: 'general', description: 'None of these.' },
  },
});

export const RoleEnum = builder.enumType('MessageRole', {
  description: 'Who speaks in a conversation.',
  values: {
    SYSTEM: { value: 'system', description: 'Instructions with the highest weight.' },
    DEVELOPER: { value: 'developer', description: 'Instructions from the developer.' },
    USER: { value: 'user', description: 'The person.' },
    ASSISTANT: { value: 'assistant', description: 'The model.' },
    TOOL: { value: 'tool', description: 'The result of a tool.' },
  },
});

export const FinishReasonEnum = builder.enumType('FinishReason', {
  description: 'Why a model stopped.',
  values: {
    STOP: { value: 'stop', description: 'It was done.' },
    LENGTH: { value: 'length', description: 'It reached the token limit.' },
    TOOL_CALLS: { value: 'toolCalls', description: 'It called tools.' },
    CONTENT_FILTER: { value: 'contentFilter', description: 'A filter stopped it.' },
    ERROR: { value: 'error', description: 'The provider failed after the answer had begun.' },
  },
});

export const BreakerStateEnum = builder.enumType('BreakerState', {
  description: 'States of a circuit breaker.',
  values: {
    CLOSED: { value: 'closed', description: 'Traffic flows.' },
    OPEN: { value: 'open', description: 'No traffic.' },
    HALF_OPEN: { value: 'halfOpen', description: 'One probe at a time.' },
  },
});

export const DoorEnum = builder.enumType('Door', {
  description: 'Doors of the gateway.',
  values: {
    GRAPHQL: { value: 'graphql', description: 'The GraphQL API.' },
    REST: { value: 'rest', description: 'The OpenAI-compatible REST API.' },
  },
});

export const RequestStatusEnum = builder.enumType('RequestStatus', {
  description: 'How far a request is.',
  values: {
    RUNNING: { value: 'running', description: 'Under way.' },
    SUCCEEDED: { value: 'succeeded', description: 'Answered.' },
    FAILED: { value: 'failed', description: 'Not answered.' },
    REFUSED: { value: 'refused', description: 'Refused before any call.' },
    CANCELLED: { value: 'cancelled', description: 'Stopped by the caller.' },
  },
});

export const AttemptOutcomeEnum = builder.enumType('AttemptOutcome', {
  description: 'How a call to a provider ended.',
  values: {
    SUCCEEDED: { value: 'succeeded', description: 'A complete answer.' },
    PROVIDER_ERROR: { value: 'providerError', description: 'The provider said it failed.' },
    RATE_LIMITED: { value: 'throttled', description: 'The provider refused for its own rate limit.' },
    TIMED_OUT: { value: 'timedOut', description: 'It took too long.' },
    NETWORK_ERROR: { value: 'networkError', description: 'The connection broke.' },
    REJECTED: {
      value: 'rejected',
      description:
        'The provider says the request itself is wrong: never counted by the breaker, never tried elsewhere.',
    },
    INVALID_RESPONSE: { value: 'invalidResponse', description: 'The answer made no sense.' },
    CANCELLED: { value: 'cancelled', description: 'The caller went away.' },
  },
});

/** To a caller, credentials that a provider refused are that provider's error: the caller's own request is not at fault. */
export function outcomeWord(
  outcome: AttemptOutcome,
): 'succeeded' | Exclude<FailureKind, 'misconfigured' | 'notServed'> {
  return outcome === 'misconfigured' || outcome === 'notServed' ? 'providerError' : outcome;
}
