import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../gateway/caller.ts';
import { costRefusal } from '../graphql/cost.ts';
import { errorOf } from './answer.ts';
import type { InFlight } from './in-flight.ts';
import type { LoadGate } from './load-gate.ts';
import { presentable, told } from './mask.ts';
import { noteDocument, type Operation, wishOf } from './operation.ts';
import { makeSubscribers, type SubscriberMeter } from './subscribers.ts';

/** Around every operation: it counts as under way, its errors are made presentable, and its answer names its request. */
export function operationPlugin(deps: {
  readonly inFlight: InFlight;
  readonly gate: LoadGate;
  readonly meters: SubscriberMeter;
}): Plugin<Operation, Operation> {
  const { inFlight, gate } = deps;
  const watched = makeSubscribers(deps.meters);
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      noteDocument(args.contextValue, args);
      // Counted here and not at the connection: a chat whose caller left still has to be settled.
      setExecuteFn((executionArgs) => {
        const refusal = refusalOf(args.contextValue, gate);
        if (refusal !== null) return { errors: [refusal] };
        return inFlight.run(() => gate.run(args.contextValue.caller, () => executeFn(executionArgs)));
      });
      return {
        onExecuteDone({ result, setResult }) {
          if (!isStream(result)) setResult(presentable(result, args.contextValue));
        },
      };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      noteDocument(args.contextValue, args);
      const refusal = refusalOfLink(args.contextValue) ?? refusalOf(args.contextValue, gate);
      if (refusal !== null) setResultAndStopExecution({ errors: [refusal] });
      return {
        onSubscribeResult({ result, setResult }) {
          if (!isStream(result)) setResult(presentable(result, args.contextValue));
          else
            setResult(
              watched(args.contextValue.note.isPaid ? counted(result, args.contextValue.caller, deps) : result),
            );
          return { onNext: (event) => event.setResult(presentable(event.result, args.contextValue)) };
        },
      };
    },
    onResultProcess({ result, setResult, serverContext }) {
      // A document that never ran has an answer too.
      if (isStream(result) || Array.isArray(result) || result.extensions?.gateway !== undefined) return;
      setResult(told(result, serverContext));
    },
  };
}

/** Null: no link, or one that costs nothing. Every web page, mail and preview opens links, and nobody is asked. */
function refusalOfLink({ note, request }: Operation & { readonly request?: Request }): GraphQLError | null {
  // The WebSocket door has no such request.
  if (request === undefined || request.method === 'POST' || !note.isPaid) return null;
  return new GraphQLError('What is paid for is not run by a link: send the operation by POST.', {
    extensions: { code: 'METHOD_NOT_ALLOWED', http: { status: 405, headers: { allow: 'POST' } } },
  });
}

/** Null: it may be run now. Found before any resolver is called. */
function refusalOf(operation: Operation, gate: LoadGate): GraphQLError | null {
  const tooDear = costRefusal(operation.note.cost);
  if (tooDear !== null) return tooDear;
  const fault = gate.refuse(wishOf(operation), operation.caller);
  return fault === null ? null : errorOf(fault);
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
