import { GraphQLError } from 'graphql';

/** How much an answer says of what was wrong, so that no answer to a refused document is much longer than 1 kB. */
export const ERROR_LIMITS = { errorsMax: 3, messageBytesMax: 300, placesMax: 2 } as const;

/** The errors of a document that was not run: the first few. */
export function shortErrors(errors: readonly GraphQLError[]): readonly GraphQLError[] {
  return errors.slice(0, ERROR_LIMITS.errorsMax).map(shortError);
}

/** The same error, if it repeats no more of what was sent than people read. */
export function shortError(error: GraphQLError): GraphQLError {
  const message = shortText(error.message);
  const isShort = message === error.message && (error.nodes?.length ?? 0) <= ERROR_LIMITS.placesMax;
  if (isShort) return error;
  const { source, positions, path, originalError, extensions } = error;
  const nodes = error.nodes?.slice(0, ERROR_LIMITS.placesMax);
  return new GraphQLError(message, {
    ...(nodes === undefined ? { source, positions } : { nodes }),
    path,
    originalError,
    extensions,
  });
}

function shortText(text: string): string {
  // No character takes less than a byte.
  let cut = text.slice(0, ERROR_LIMITS.messageBytesMax);
  // As it goes out: escaped in JSON, in UTF-8.
  while (Buffer.byteLength(JSON.stringify(cut)) > ERROR_LIMITS.messageBytesMax + 2) {
    cut = cut.slice(0, Math.floor(cut.length * 0.9));
  }
  return cut === text ? text : `${cut}…`;
}
