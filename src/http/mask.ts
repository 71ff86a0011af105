import { type ExecutionResult, GraphQLError, type GraphQLErrorOptions } from 'graphql';
import { isUnavailable, StoreUnavailable } from '../core/unavailable.ts';
import { COST_MAX } from '../graphql/cost.ts';
import type { DoorCode } from '../graphql/door-error.ts';
import { requestGlobalId } from '../graphql/global-id.ts';
import { shortError, shortErrors } from '../graphql/short-error.ts';
import type { Operation } from './operation.ts';

/** When a caller may ask again while the store or the journal is away: nobody knows, so this is a polite guess. */
const RETRY_MS = 1_000;

/** A result as it may leave the house: nothing of a bug but the id under which the log tells more. */
export function presentable(result: ExecutionResult, operation: Operation): ExecutionResult {
  const { errors, ...rest } = result;
  if (errors === undefined) return told(rest, operation);
  return told({ ...rest, errors: errors.map((error) => masked(error, operation)) }, operation);
}

/** A result with what is told beside every one, and with no more of its errors than people read. */
export function told({ errors, ...result }: ExecutionResult, operation: Operation): ExecutionResult {
  operation.note.errorCount += errors?.length ?? 0;
  const isRefused = result.data === undefined || result.data === null;
  return {
    ...result,
    ...(errors === undefined ? {} : { errors: isRefused ? shortErrors(errors) : errors.map(shortError) }),
    extensions: { ...result.extensions, ...extensionsOf(operation) },
  };
}

/** What is told beside every answer. */
function extensionsOf({ requestId, note }: Operation) {
  const gateway = { requestId: requestGlobalId(requestId) };
  return note.cost === null ? { gateway } : { gateway, cost: { requested: note.cost, limit: COST_MAX } };
}

function masked(error: GraphQLError, operation: Operation): GraphQLError {
  if (isMeantForCaller(error)) return named(error);
  return unexpected(error.originalError ?? error, operation, { nodes: error.nodes, path: error.path });
}

/** Without a path it is about the variables, which GraphQL checks before anything runs, and gives no code. */
function named(error: GraphQLError): GraphQLError {
  if (error.extensions.code !== undefined || error.path !== undefined) return error;
  const { message, nodes, extensions } = error;
  return new GraphQLError(message, { nodes, extensions: { ...extensions, code: 'INVALID_INPUT' } });
}

/** Stands for an error that the caller must not see; the log has it all, under the same request id. */
export function unexpected(
  error: unknown,
  operation: Operation,
  at: Pick<GraphQLErrorOptions, 'nodes' | 'path'>,
): GraphQLError {
  const { code, message, retryAfterMs } = maskedOf(error, operation, at.path?.join('.'));
  const extensions = {
    code,
    ...(retryAfterMs === null ? {} : { retryable: true, retryAfterMs, http: { status: 503 } }),
    ...(code === 'INTERNAL' ? { requestId: requestGlobalId(operation.requestId) } : {}),
  };
  return new GraphQLError(message, { ...at, extensions });
}

/** What a caller is told of something that was thrown. */
export interface Masked {
  readonly code: Extract<DoorCode, 'CANCELLED' | 'STORE_UNAVAILABLE' | 'JOURNAL_UNAVAILABLE' | 'INTERNAL'>;
  readonly message: string;
  /** Null: to send it again does not help. */
  readonly retryAfterMs: number | null;
}

/** Writes what was thrown to the log, and leaves of it what the caller may see. */
export function maskedOf(error: unknown, { log, signal }: Pick<Operation, 'log' | 'signal'>, path?: string): Masked {
  const fields = {
    error: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? error.stack : undefined,
    path,
  };
  if (signal.aborted) {
    // What breaks because the caller left is neither a bug nor read by anybody.
    log.debug('stopped because the caller went away', fields);
    return { code: 'CANCELLED', message: 'The caller went away.', retryAfterMs: null };
  }
  if (isUnavailable(error)) {
    const code = error instanceof StoreUnavailable ? 'STORE_UNAVAILABLE' : 'JOURNAL_UNAVAILABLE';
    log.error('a request cannot be served now', { code, reason: error.reason, path });
    return { code, message: error.message, retryAfterMs: RETRY_MS };
  }
  log.error('unexpected error', fields);
  return { code: 'INTERNAL', message: 'Unexpected error.', retryAfterMs: null };
}

/** GraphQL wraps whatever is thrown: only what was thrown as a GraphQLError is meant to be read by the caller. */
export function isMeantForCaller(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return false;
  return error.originalError === undefined || error.originalError === null || isMeantForCaller(error.originalError);
}
