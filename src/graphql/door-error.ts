import { GraphQLError } from 'graphql';

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
