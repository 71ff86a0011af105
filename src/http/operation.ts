import { type ExecutionArgs, getOperationAST } from 'graphql';
import type { RequestId } from '../core/ids.ts';
import type { Wish } from '../core/load.ts';
import { traceOf } from '../core/trace-of.ts';
import type { Caller } from '../gateway/caller.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { makeContext, type OperationContext } from '../graphql/context.ts';
import { costOf } from '../graphql/cost.ts';
import { requestGlobalId } from '../graphql/global-id.ts';
import { isPaid } from '../graphql/paid-fields.ts';
import { schema } from '../graphql/schema.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { OperationSpan } from '../ports/traces.ts';

const NAME_CHARS_MAX = 100;

/** What becomes known of an operation while it runs, for its log line. */
export interface OperationNote {
  /** As the document names it. Null: it has no name, or was never understood. */
  name: string | null;
  kind: 'query' | 'mutation' | 'subscription' | null;
  /** It runs a request that is paid for: it is let finish, and counts as load, also when it is a subscription. */
  isPaid: boolean;
  /** The most that it can cost to answer. Null: it was never understood. */
  cost: number | null;
  errorCount: number;
}

/** One GraphQL operation at either transport: what its resolvers are given, and what its log line will say. */
export interface Operation extends OperationContext {
  readonly log: Log;
  readonly note: OperationNote;
  readonly startedAtMs: number;
  readonly span: OperationSpan;
}

export function makeOperation(of: {
  readonly gateway: Gateway;
  readonly caller: Caller;
  readonly requestId: RequestId;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
  readonly span: OperationSpan;
}): Operation {
  const { gateway, caller, requestId, signal, clock, span } = of;
  return {
    ...makeContext({ gateway, caller, requestId, signal, span }),
    span,
    log: of.log.with({ requestId: requestGlobalId(requestId), ...traceOf(span) }),
    note: { name: null, kind: null, isPaid: false, cost: null, errorCount: 0 },
    startedAtMs: clock.elapsedMs(),
  };
}

/** Remembers which operation of a document runs. */
export function noteDocument(operation: Operation, args: DocumentArgs): void {
  const { document, operationName, variableValues } = args;
  const found = getOperationAST(document, operationName);
  if (found === null || found === undefined) return;
  const { note } = operation;
  note.kind = found.operation;
  note.isPaid = isPaid(schema, document, found);
  note.cost = costOf(schema, { document, operation: found, variables: variableValues ?? {} });
  note.name = found.name?.value.slice(0, NAME_CHARS_MAX) ?? null;
}

type DocumentArgs = Pick<ExecutionArgs, 'document' | 'operationName' | 'variableValues'>;

/** What an operation wants, as far as it is known. */
export function wishOf({ note }: Operation): Wish {
  return note.kind === 'mutation' || note.isPaid ? 'act' : 'read';
}

/** Ends an operation: the one line about it, and its trace. Never a prompt, an answer or a variable. */
export function logOperation(
  operation: Pick<Operation, 'note' | 'log' | 'startedAtMs' | 'span'>,
  clock: Clock,
  ending: {
    readonly door: 'http' | 'websocket' | 'rest';
    /** 0: of HTTP, when the caller left before there was one. */
    readonly status: string | number;
    readonly clientRequestId?: string;
    /** How often the client had sent it before. */
    readonly clientRetry?: number;
  },
): void {
  const { note, log, startedAtMs, span } = operation;
  const status = typeof ending.status === 'number' && ending.status > 0 ? ending.status : null;
  span.end({ kind: note.kind, operation: note.name, status, errorCount: note.errorCount });
  log.info('operation', {
    ...ending,
    operation: note.name,
    kind: note.kind,
    errors: note.errorCount,
    durationMs: Math.round((clock.elapsedMs() - startedAtMs) * 10) / 10,
  });
}
