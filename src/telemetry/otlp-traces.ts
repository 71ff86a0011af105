import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { ProviderKey } from '../core/ids.ts';
import type { ChatSpan, OperationSpan, Step, Traces } from '../ports/traces.ts';
import {
  attemptAttributes,
  attemptEndAttributes,
  candidateEvents,
  chatEndAttributes,
  isChatFailed,
  operationAttributes,
  operationEndAttributes,
  reservedAttributes,
  routedAttributes,
  type SpanEvent,
} from './span-words.ts';
import { parseTraceparent } from './traceparent.ts';

type NameOf = (provider: ProviderKey) => string;

/** Traces by a tracer of OpenTelemetry. Spans hang together by what they are called on: nothing is found by a context of the process. */
export function makeTraces(of: {
  readonly tracer: Tracer;
  readonly nameOf: NameOf;
  readonly close: () => Promise<void>;
}): Traces {
  const { tracer, nameOf } = of;
  return {
    operation(name, traceparent) {
      const attributes = operationAttributes(name);
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, contextOf(traceparent));
      // It was not chosen to be told of: then nothing within it is either.
      return operationSpan(span, chatSpan(tracer, span, nameOf));
    },
    [Symbol.asyncDispose]: of.close,
  };
}

function contextOf(traceparent: string | undefined): Context {
  const remote = parseTraceparent(traceparent);
  if (remote === null) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = remote;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function operationSpan(span: Span, chat: ChatSpan): OperationSpan {
  return {
    ...chat,
    end(how) {
      span.setAttributes(operationEndAttributes(how));
      if (how.status !== null && how.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function chatSpan(tracer: Tracer, parent: Span, nameOf: NameOf): ChatSpan {
  const context = trace.setSpan(ROOT_CONTEXT, parent);
  const { traceId, spanId } = parent.spanContext();
  const begin = <End>(name: string, kind: SpanKind, attributes: Attributes, words: (how: End) => Told): Step<End> =>
    stepOf(tracer.startSpan(name, { kind, attributes }, context), words);
  return {
    traceId: parent.isRecording() ? traceId : null,
    spanId: parent.isRecording() ? spanId : null,
    route: () =>
      begin('route', SpanKind.INTERNAL, {}, (how) => ({
        attributes: routedAttributes(how),
        events: candidateEvents(how.candidates),
      })),
    reserve: () =>
      begin('budget.reserve', SpanKind.INTERNAL, {}, (how) => ({
        attributes: reservedAttributes(how),
        events: candidateEvents(how.passedOver),
      })),
    attempt: (of) =>
      begin(`chat ${of.model}`, SpanKind.CLIENT, attemptAttributes(of, nameOf), (how) => ({
        attributes: attemptEndAttributes(how),
        isFailed: how.failure !== null,
      })),
    chatEnded: (how) => tell(parent, { attributes: chatEndAttributes(how), isFailed: isChatFailed(how) }),
    settle: ({ provider, model }) => {
      const attributes = { 'switchyard.provider': provider, 'gen_ai.request.model': model };
      return begin('budget.settle', SpanKind.INTERNAL, attributes, (how) => ({ isFailed: how === 'left' }));
    },
  };
}

/** What a step says at its end. */
interface Told {
  readonly attributes?: Attributes;
  readonly events?: readonly SpanEvent[];
  readonly isFailed?: boolean;
}

function stepOf<End>(span: Span, words: (how: End) => Told): Step<End> {
  let isOver = false;
  return {
    end(how) {
      isOver = true;
      if (span.isRecording()) tell(span, words(how));
      span.end();
    },
    [Symbol.dispose]() {
      if (isOver) return;
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function tell(span: Span, { attributes = {}, events = [], isFailed = false }: Told): void {
  span.setAttributes(attributes);
  for (const event of events) span.addEvent(event.name, event.attributes);
  if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
}
