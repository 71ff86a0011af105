import type { Attributes } from '@opentelemetry/api';
import type { CandidateReport } from '../core/decision.ts';
import type { ProviderKey } from '../core/ids.ts';
import type {
  AttemptBegun,
  AttemptDone,
  ChatEnded,
  OperationDone,
  OperationName,
  Reserved,
  Routed,
} from '../ports/traces.ts';

/** One thing that happened within a span. */
export interface SpanEvent {
  readonly name: string;
  readonly attributes: Attributes;
}

// What spans say, in the words of OpenTelemetry's conventions where those have one.

export function operationAttributes(name: OperationName): Attributes {
  const [method = '', route = ''] = name.split(' ');
  return method === 'WebSocket'
    ? { 'network.protocol.name': 'websocket' }
    : { 'http.request.method': method, 'http.route': route };
}

export function operationEndAttributes({ kind, operation, status, errorCount }: OperationDone): Attributes {
  return {
    ...(kind === null ? {} : { 'graphql.operation.type': kind }),
    ...(operation === null ? {} : { 'graphql.operation.name': operation }),
    ...(status === null ? {} : { 'http.response.status_code': status }),
    'switchyard.errors': errorCount,
  };
}

export function chatEndAttributes({ outcome, errorCode }: ChatEnded): Attributes {
  return { 'switchyard.outcome': outcome, ...(errorCode === null ? {} : { 'error.type': errorCode }) };
}

/** A refusal is what the operator wants, and who leaves wants no answer: neither is a failure of ours. */
export function isChatFailed({ outcome }: ChatEnded): boolean {
  return outcome === 'failed' || outcome === 'unavailable' || outcome === 'internal';
}

export function routedAttributes({ category, confidence, policy }: Routed): Attributes {
  return { 'switchyard.category': category, 'switchyard.confidence': confidence, 'switchyard.policy': policy };
}

/** Most candidates of one decision that are told. */
const CANDIDATES_MAX = 32;

export function candidateEvents(candidates: readonly CandidateReport[]): readonly SpanEvent[] {
  return candidates.slice(0, CANDIDATES_MAX).map(({ provider, model, rank, score, rejection }) => ({
    name: rejection === null ? 'candidate' : 'candidate.rejected',
    attributes: {
      'switchyard.provider': provider,
      'gen_ai.request.model': model,
      ...(rank === null ? {} : { 'switchyard.rank': rank }),
      ...(score === null ? {} : { 'switchyard.score': score }),
      ...(rejection === null ? {} : { 'switchyard.rejection': rejection.reason }),
    },
  }));
}

export function reservedAttributes({ admitted }: Reserved): Attributes {
  if (admitted === null) return { 'switchyard.admitted': false };
  const { provider, model, isProbe } = admitted;
  return {
    'switchyard.admitted': true,
    'switchyard.provider': provider,
    'gen_ai.request.model': model,
    'switchyard.probe': isProbe,
  };
}

export function attemptAttributes(of: AttemptBegun, nameOf: (provider: ProviderKey) => string): Attributes {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': nameOf(of.provider),
    'gen_ai.request.model': of.model,
    'gen_ai.request.stream': of.isStreamed,
    'gen_ai.request.max_tokens': of.outputTokensMax,
    'switchyard.provider': of.provider,
    'switchyard.attempt': of.number,
  };
}

export function attemptEndAttributes({ failure, usage, finishReason, firstChunkMs }: AttemptDone): Attributes {
  return {
    ...(usage === null
      ? {}
      : {
          'gen_ai.usage.input_tokens': usage.inputTokens,
          'gen_ai.usage.output_tokens': usage.outputTokens,
          'gen_ai.usage.cache_read.input_tokens': usage.cachedInputTokens,
          'gen_ai.usage.reasoning.output_tokens': usage.reasoningTokens,
        }),
    ...(finishReason === null ? {} : { 'gen_ai.response.finish_reasons': [finishReason] }),
    ...(firstChunkMs === null ? {} : { 'gen_ai.response.time_to_first_chunk': firstChunkMs / 1_000 }),
    ...(failure === null ? {} : { 'error.type': failure.kind, 'switchyard.simulated': failure.isSimulated }),
    ...(failure?.httpStatus == null ? {} : { 'http.response.status_code': failure.httpStatus }),
  };
}
