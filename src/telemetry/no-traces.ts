import type { OperationSpan, Step, Traces } from '../ports/traces.ts';

const NO_STEP: Step<unknown> = { end() {}, [Symbol.dispose]() {} };

/** Tells nobody anything, and costs nothing. */
export const NO_SPAN: OperationSpan = {
  traceId: null,
  spanId: null,
  route: () => NO_STEP,
  reserve: () => NO_STEP,
  attempt: () => NO_STEP,
  settle: () => NO_STEP,
  chatEnded() {},
  end() {},
};

/** What is there while traces go nowhere. */
export const NO_TRACES: Traces = { operation: () => NO_SPAN, async [Symbol.asyncDispose]() {} };
