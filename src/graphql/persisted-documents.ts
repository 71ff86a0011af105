import type { GraphQLError } from 'graphql';
import { type Caller, may } from '../gateway/caller.ts';
import { makeDocuments } from './documents.ts';
import { documentError } from './door-error.ts';

/** Documents that are known by their ids. */
export interface PersistedDocuments {
  /** By their ids; those that are hashes have the form `sha256:…` here. */
  readonly texts: ReadonlyMap<string, string>;
  /** Nothing else is run, but for administrators. */
  readonly areOnlyOnes: boolean;
}

export const PERSISTED_LIMITS = { documentsMax: 5_000, idCharsMax: 200 } as const;

/** What an operation was sent with. */
interface Asked {
  /** Null: none, or an empty one, which is how clients write it that must send one. */
  readonly text: string | null;
  /** Null: none. */
  readonly id: string | null;
}

type Chosen =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly error: GraphQLError }
  /** Neither a text nor an id came. */
  | { readonly kind: 'nothing' };

/** The one place that decides what is run of what was sent, at every transport. A known id counts more than a text beside it. */
export function chooseText(params: unknown, caller: Caller, { texts, areOnlyOnes }: PersistedDocuments): Chosen {
  const { text, id } = askedOf(params);
  const known = id === null ? undefined : texts.get(normalized(id));
  if (known !== undefined) return { kind: 'text', text: known };
  if (areOnlyOnes && !isAdministrator(caller)) return { kind: 'refused', error: id === null ? required() : notFound() };
  if (text !== null) return { kind: 'text', text };
  return id === null ? { kind: 'nothing' } : { kind: 'refused', error: notFound() };
}

/** With authentication off everybody may do everything, but nobody has shown to be an administrator. */
function isAdministrator(caller: Caller): boolean {
  return caller.kind !== 'open' && may(caller, 'admin');
}

function required(): GraphQLError {
  return documentError(
    'PERSISTED_DOCUMENT_REQUIRED',
    'This gateway runs only documents that its operator knows. Send documentId instead of query.',
  );
}

function notFound(): GraphQLError {
  return documentError(
    'PERSISTED_DOCUMENT_NOT_FOUND',
    'No document has this id. This gateway knows those that its operator gave it, and learns no others.',
  );
}

/** By the appendix of GraphQL over HTTP, or as Apollo's clients send a hash. */
function askedOf(params: unknown): Asked {
  const text = textAt(params, 'query');
  const hash = textAt(fieldOf(fieldOf(params, 'extensions'), 'persistedQuery'), 'sha256Hash');
  return { text, id: textAt(params, 'documentId') ?? hash };
}

function textAt(value: unknown, name: string): string | null {
  const found = fieldOf(value, name);
  return typeof found === 'string' && found !== '' ? found : null;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : null;
}

const HASH = /^(?:sha256:)?([0-9a-f]{64})$/i;

function normalized(id: string): string {
  const hash = HASH.exec(id)?.[1];
  return hash === undefined ? id : `sha256:${hash.toLowerCase()}`;
}

export type ParsedPersisted =
  | { readonly kind: 'valid'; readonly texts: ReadonlyMap<string, string> }
  /** Every fault that was found. */
  | { readonly kind: 'invalid'; readonly faults: readonly string[] };

/** Reads what a file of documents holds: `{ id: document }`. Each must be one that callers could send. */
export function parsePersisted(value: unknown, sha256: (text: string) => string): ParsedPersisted {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid([NOT_AN_OBJECT]);
  const entries: readonly [string, unknown][] = Object.entries(value);
  const { documentsMax } = PERSISTED_LIMITS;
  if (entries.length > documentsMax)
    return invalid([`has ${entries.length} documents, and ${documentsMax} is the limit`]);
  const texts = new Map<string, string>();
  const faults: string[] = [];
  for (const [id, document] of entries) {
    const wrong = typeof document === 'string' ? faultsOf(id, document, sha256) : ['must be a text'];
    faults.push(...wrong.map((fault) => `${JSON.stringify(id.slice(0, PERSISTED_LIMITS.idCharsMax))}: ${fault}`));
    if (typeof document === 'string') texts.set(normalized(id), document);
  }
  return faults.length > 0 ? invalid(faults) : { kind: 'valid', texts };
}

const NOT_AN_OBJECT = 'must be one JSON object, {"id": "document"}';

function invalid(faults: readonly string[]): ParsedPersisted {
  return { kind: 'invalid', faults };
}

function faultsOf(id: string, text: string, sha256: (text: string) => string): readonly string[] {
  const { idCharsMax } = PERSISTED_LIMITS;
  const hash = HASH.exec(id)?.[1]?.toLowerCase();
  const ofId = id === '' || id.length > idCharsMax ? [`an id has 1 to ${idCharsMax} characters`] : [];
  const isOther = hash !== undefined && hash !== sha256(text);
  const ofHash = isOther ? [`the id is not the SHA-256 of its document, which is ${sha256(text)}`] : [];
  return [...ofId, ...ofHash, ...faultsOfText(text)];
}

function faultsOfText(text: string): readonly string[] {
  const documents = makeDocuments();
  try {
    return documents.faultsOf(documents.parse(text)).map(({ message }) => message);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
