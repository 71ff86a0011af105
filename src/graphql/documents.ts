import { type DocumentNode, GraphQLError, NoFragmentCyclesRule, parse, specifiedRules, validate } from 'graphql';
import { DOCUMENT_LIMITS, DocumentLimits } from './document-limits.ts';
import { documentError } from './door-error.ts';
import { FewRepeats } from './few-repeats.ts';
import { OnePaidMutation } from './one-paid-mutation.ts';
import { schema } from './schema.ts';
import { ERROR_LIMITS, shortError, shortErrors } from './short-error.ts';

/** How many documents are remembered, and how long one may be for that: prompts that stand in documents are never sent twice. */
const KEPT = { documentsMax: 500, charsMax: 10_000 } as const;

/** One after the other, so that nothing that makes a rule take long ever reaches it. */
const STAGES = [
  [DocumentLimits, NoFragmentCyclesRule],
  [FewRepeats],
  [...specifiedRules.filter((rule) => rule !== NoFragmentCyclesRule), OnePaidMutation],
];

/** Reads documents, and remembers those that were read last. */
export interface Documents {
  /** Throws what the caller is to read. */
  parse(text: string): DocumentNode;
  /** Why a document is not run. Empty: it may be. */
  faultsOf(document: DocumentNode): readonly GraphQLError[];
}

export function makeDocuments(): Documents {
  /** The one that was asked for longest ago is the first. */
  const kept = new Map<string, DocumentNode>();
  const judged = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  return {
    parse(text) {
      const document = kept.get(text) ?? parseDocument(text);
      if (text.length > KEPT.charsMax) return document;
      kept.delete(text);
      kept.set(text, document);
      const [oldest] = kept.keys();
      if (kept.size > KEPT.documentsMax && oldest !== undefined) kept.delete(oldest);
      return document;
    },
    faultsOf(document) {
      const faults = judged.get(document) ?? faultsOf(document);
      judged.set(document, faults);
      return faults;
    },
  };
}

function parseDocument(text: string): DocumentNode {
  const { tokensMax } = DOCUMENT_LIMITS;
  try {
    return parse(text, { maxTokens: tokensMax });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    throw error.message === TOO_MANY_TOKENS ? documentError('TOO_MANY_TOKENS', LONG_DOCUMENT) : shortError(error);
  }
}

/** The parser's own words, which nothing in a document can bring about. */
const TOO_MANY_TOKENS = `Syntax Error: Document contains more than ${DOCUMENT_LIMITS.tokensMax} tokens. Parsing aborted.`;
const LONG_DOCUMENT = `The document has more than ${DOCUMENT_LIMITS.tokensMax} tokens. Send values as variables, and the rest as several operations.`;

function faultsOf(document: DocumentNode): readonly GraphQLError[] {
  for (const rules of STAGES) {
    const faults = validate(schema, document, rules, { maxErrors: ERROR_LIMITS.errorsMax });
    if (faults.length > 0) return shortErrors(faults);
  }
  return [];
}
