import { type ASTNode, GraphQLError } from 'graphql';

/** Codes of top-level errors: what a caller did wrong outside a result union. Everything else is masked as INTERNAL. */
export const DOOR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INVALID_INPUT',
  'NOT_FOUND',
  'CANCELLED',
  'TOO_MANY_WATCHERS',
  'STREAM_LOST',
  'TOO_MANY_PAID_MUTATIONS',
  'TOO_DEEP',
  'TOO_MANY_TOKENS',
  'TOO_MANY_ALIASES',
  'TOO_MANY_DIRECTIVES',
  'TOO_MANY_FIELDS',
  'NAME_TOO_LONG',
  'COST_TOO_HIGH',
  'PERSISTED_DOCUMENT_REQUIRED',
  'PERSISTED_DOCUMENT_NOT_FOUND',
  'STORE_UNAVAILABLE',
  'JOURNAL_UNAVAILABLE',
  'INTERNAL',
] as const;

export type DoorCode = (typeof DOOR_CODES)[number];

/** An error that the caller is meant to read. */
export function doorError(code: DoorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

export function invalidInput(message: string): GraphQLError {
  return doorError('INVALID_INPUT', message);
}

/** A document that is not run, whatever a client accepts: 400 over HTTP. */
export function documentError(
  code: DoorCode,
  message: string,
  node?: ASTNode,
  figures: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  const extensions = { code, ...figures, http: { status: 400, spec: false } };
  return new GraphQLError(message, { ...(node === undefined ? {} : { nodes: node }), extensions });
}
