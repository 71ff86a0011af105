import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../gateway/caller.ts';
import { requestGlobalId } from '../graphql/global-id.ts';
import { errorOf } from './answer.ts';
import type { InFlight } from './in-flight.ts';
import type { LoadGate } from './load-gate.ts';
import { presentable } from './mask.ts';
import { noteDocument, type Operation, wishOf } from './operation.ts';

/** Around every operation: it counts as under way, its errors are made presentable, and its answer names its request. */
export function operationPlugin(deps: {
  readonly inFlight: InFlight;
  readonly gate: LoadGate;
}): Plugin<Operation, Operation> {
  const { inFlight, gate } = deps;
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      noteDocument(args.contextValue, args.document, args.operationName);
      // Counted here and not at the connection: a chat whose caller left still has to be settled.
      setExecuteFn((executionArgs) => {
        const fault = gate.refuse(wishOf(args.contextValue), args.contextValue.caller);
        if (fault !== null) return { errors: [errorOf(fault)] };
        return inFlight.run(() => gate.run(args.contextValue.caller, () => executeFn(executionArgs)));
      });
      return {
        onExecuteDone({ result, setResult }) {
          if (!isStream(result)) setResult(presentable(result, args.contextValue));
        },
      };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      noteDocument(args.contextValue, args.document, args.operationName);
      const fault = gate.refuse(wishOf(args.contextValue), args.contextValue.caller);
      if (fault !== null) setResultAndStopExecution({ errors: [errorOf(fault)] });
      return {
        onSubscribeResult({ result, setResult }) {
          if (!isStream(result)) setResult(presentable(result, args.contextValue));
          else if (args.contextValue.note.isPaid) setResult(counted(result, args.contextValue.caller, deps));
          return { onNext: (event) => event.setResult(presentable(event.result, args.contextValue)) };
        },
      };
    },
    onResultProcess({ result, setResult, serverContext }) {
      // A document that never ran has an answer too.
      if (isStream(result) || Array.isArray(result) || result.extensions?.gateway !== undefined) return;
      serverContext.note.errorCount += result.errors?.length ?? 0;
      const gateway = { requestId: requestGlobalId(serverContext.requestId) };
      setResult({ ...result, extensions: { ...result.extensions, gateway } });
    },
  };
}

/** A streamed chat fills its place until its stream has ended, in whichever way. */
async function* counted<Result>(
  results: AsyncIterable<Result>,
  caller: Caller,
  { inFlight, gate }: { readonly inFlight: InFlight; readonly gate: LoadGate },
): AsyncGenerator<Result, void> {
  const ended = Promise.withResolvers<void>();
  void inFlight.run(() => gate.run(caller, () => ended.promise));
  try {
    yield* results;
  } finally {
    ended.resolve();
  }
}

function isStream<Result extends object>(result: Result): result is Extract<Result, AsyncIterable<unknown>> {
  return Symbol.asyncIterator in result;
}
