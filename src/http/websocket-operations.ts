import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
} from 'graphql';
import { makeServer, type Server, type ExecutionResult as SocketResult, type SubscribePayload } from 'graphql-ws';
import type { RequestId } from '../core/ids.ts';
import type { Wish } from '../core/load.ts';
import type { Caller } from '../gateway/caller.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { costRefusal } from '../graphql/cost.ts';
import { chooseText, type PersistedDocuments } from '../graphql/persisted-documents.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Traces } from '../ports/traces.ts';
import { type DoorFault, errorOf, SHUTTING_DOWN } from './answer.ts';
import type { LoadGate } from './load-gate.ts';
import { presentable, unexpected } from './mask.ts';
import { logOperation, makeOperation, noteDocument, type Operation, wishOf } from './operation.ts';
import { stoppable } from './stoppable.ts';
import type { GraphqlServer } from './yoga.ts';

export const SOCKET_LIMITS = { initWaitMs: 3_000, operationsMax: 50 } as const;

/** One operation of a connection, from its admission to its last result. */
export interface Run {
  readonly operation: Operation;
  readonly envelope: Envelope;
  readonly stop: AbortController;
  readonly peer: Peer;
}

/** One connection, and what runs on it. */
export interface Peer {
  readonly runs: Set<Run>;
  /** As its first request had it, which browsers cannot set. Undefined: it had none. */
  readonly authorization: string | undefined;
  /** Null: it has not shown yet who it is. */
  caller: Caller | null;
}

interface OperationsDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: () => RequestId;
  readonly yoga: GraphqlServer;
  readonly gate: LoadGate;
  readonly persisted: () => PersistedDocuments;
  readonly traces: Traces;
  readonly isDraining: () => boolean;
  /** Finds out who connects. False: nobody that is let in, and told so. */
  readonly welcome: (peer: Peer, authorization: string | undefined) => Promise<boolean>;
}

type Envelope = ReturnType<GraphqlServer['getEnveloped']>;

/** The protocol graphql-transport-ws, over the same stages as HTTP: parse, the same rules, execute, make presentable. */
export function makeSocketServer(deps: OperationsDeps): Server<Peer> {
  /** Found again by the arguments that graphql-ws hands on, and kept by nothing but them. */
  const admitted = new WeakMap<ExecutionArgs, Run>();
  const begin = (args: ExecutionArgs, act: 'execute' | 'subscribe') => {
    const run = admitted.get(args);
    if (run === undefined) throw new RangeError('an operation is executed that was never admitted');
    return resultsOf(run, args, act, () => {
      run.peer.runs.delete(run);
      logOperation(run.operation, deps.clock, {
        door: 'websocket',
        status: run.stop.signal.aborted ? 'stopped' : 'ended',
      });
    });
  };
  return makeServer<Record<string, unknown>, Peer>({
    connectionInitWaitTimeout: SOCKET_LIMITS.initWaitMs,
    onConnect: ({ extra: peer, connectionParams }) => deps.welcome(peer, authorizationIn(connectionParams)),
    onSubscribe: ({ extra: peer }, _id, payload) => {
      const answer = admit(deps, peer, payload);
      if (answer.kind === 'refused') return answer.errors;
      admitted.set(answer.args, answer.run);
      peer.runs.add(answer.run);
      return answer.args;
    },
    execute: (args) => begin(args, 'execute'),
    subscribe: (args) => begin(args, 'subscribe'),
    onNext: (_context, _id, _payload, _args, result) => formatted(result),
    onError: (_context, _id, _payload, errors) => errors.map(withoutHttp),
  });
}

type Admitted =
  | { readonly kind: 'admitted'; readonly run: Run; readonly args: ExecutionArgs }
  | { readonly kind: 'refused'; readonly errors: readonly GraphQLError[] };

/** As clients send it whose headers cannot be set, such as browsers. Undefined: they did not. */
function authorizationIn(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const found = Object.entries(params ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return typeof found === 'string' ? found : undefined;
}

/** Each operation may belong to a trace of its own, while headers are the connection's. Undefined: it says nothing. */
function traceparentIn({ extensions }: SubscribePayload): string | undefined {
  const named = extensions?.traceparent;
  return typeof named === 'string' ? named : undefined;
}

/** What is to be executed, or why not. */
function admit(deps: OperationsDeps, peer: Peer, payload: SubscribePayload): Admitted {
  const { caller } = peer;
  if (caller === null) throw new RangeError('an operation came before its caller was known');
  const stop = new AbortController();
  const span = deps.traces.operation('WebSocket /graphql', traceparentIn(payload));
  const operation = makeOperation({ ...deps, caller, requestId: deps.newId(), signal: stop.signal, span });
  const envelope = deps.yoga.getEnveloped(operation);
  const prepared =
    busyWith(deps, peer, caller) ?? roomFor(deps, operation, prepare({ ...deps, envelope, payload, operation }));
  if (prepared.kind === 'refused') {
    operation.note.errorCount += prepared.errors.length;
    logOperation(operation, deps.clock, { door: 'websocket', status: 'refused' });
    return prepared;
  }
  const args: ExecutionArgs = {
    schema: envelope.schema,
    document: prepared.document,
    operationName: payload.operationName,
    variableValues: payload.variables,
    contextValue: operation,
  };
  return { kind: 'admitted', run: { operation, envelope, stop, peer }, args };
}

type Prepared =
  | { readonly kind: 'prepared'; readonly document: DocumentNode }
  | { readonly kind: 'refused'; readonly errors: readonly GraphQLError[] };

/** Null: there is room for one more. */
function busyWith(deps: OperationsDeps, peer: Peer, caller: Caller): Prepared | null {
  if (deps.isDraining()) return refusedBy(LEAVING);
  if (peer.runs.size >= SOCKET_LIMITS.operationsMax) {
    return refused('BAD_REQUEST', `One connection runs at most ${SOCKET_LIMITS.operationsMax} operations at once.`);
  }
  return overloadedFor(deps, 'act', caller);
}

/** Now that it is known what the operation wants. */
function roomFor(deps: OperationsDeps, operation: Operation, prepared: Prepared): Prepared {
  return prepared.kind === 'refused'
    ? prepared
    : (overloadedFor(deps, wishOf(operation), operation.caller) ?? prepared);
}

/** Null: there is room. */
function overloadedFor({ gate }: OperationsDeps, wish: Wish, caller: Caller): Prepared | null {
  const fault = gate.refuse(wish, caller);
  return fault === null ? null : refusedBy(fault);
}

function prepare(of: {
  readonly envelope: Envelope;
  readonly payload: SubscribePayload;
  readonly operation: Operation;
  readonly persisted: () => PersistedDocuments;
}): Prepared {
  const { envelope, payload, operation } = of;
  const chosen = chooseText(payload, operation.caller, of.persisted());
  if (chosen.kind === 'refused') return { kind: 'refused', errors: [chosen.error] };
  try {
    const document: DocumentNode = envelope.parse(chosen.kind === 'text' ? chosen.text : '');
    const errors: readonly GraphQLError[] = envelope.validate(envelope.schema, document);
    if (errors.length > 0) return { kind: 'refused', errors };
    noteDocument(operation, {
      document,
      operationName: payload.operationName,
      variableValues: payload.variables,
    });
    const tooDear = costRefusal(operation.note.cost);
    if (tooDear !== null) return { kind: 'refused', errors: [tooDear] };
    if (operation.note.kind !== null) return { kind: 'prepared', document };
    return refused('BAD_REQUEST', 'The document does not say which operation to run: send operationName.');
  } catch (error) {
    // Only the parser throws here, and it throws what the caller is to read.
    return { kind: 'refused', errors: [error instanceof GraphQLError ? error : unexpected(error, operation, {})] };
  }
}

function refused(code: string, message: string): Prepared {
  return { kind: 'refused', errors: [new GraphQLError(message, { extensions: { code } })] };
}

function refusedBy(fault: DoorFault): Prepared {
  return { kind: 'refused', errors: [errorOf(fault)] };
}

/** The connection ends with the replica: what comes next is another one. */
const LEAVING: DoorFault = {
  ...SHUTTING_DOWN,
  message: 'This replica is shutting down: connect again.',
};

/** The results of one run as a stream that ends when the client or the connection wants it to. */
function resultsOf(run: Run, args: ExecutionArgs, act: 'execute' | 'subscribe', ended: () => void) {
  const { envelope, operation, stop } = run;
  return stoppable<ExecutionResult>(async () => envelope[act](args), {
    stop: () => stop.abort(),
    ended,
    broken: (error) => presentable({ errors: [unexpected(error, operation, {})] }, operation),
  });
}

/** Undefined: nothing to change. */
function formatted({ data, errors, extensions }: SocketResult): FormattedExecutionResult | undefined {
  if (errors === undefined) return undefined;
  return {
    errors: errors.map(withoutHttp),
    ...(data === undefined ? {} : { data }),
    ...(extensions === undefined ? {} : { extensions }),
  };
}

/** Statuses are HTTP's business. */
function withoutHttp(error: GraphQLError): GraphQLFormattedError {
  const { extensions = {}, ...rest } = error.toJSON();
  const { http: _http, ...kept } = extensions;
  return { ...rest, extensions: kept };
}
