import type { UsedKey } from './api-key.ts';
import { decodeFields, decodeNullable, decodeOneOf, decodeText } from './decode.ts';
import { type AccountKey, type ApiKeyId, accountKey, apiKeyId } from './ids.ts';

/** Whose a request is. */
export interface Owned {
  /** Who pays for it. */
  readonly account: AccountKey;
  /** The key that it came with. Null: it came without one. */
  readonly apiKey: UsedKey | null;
}

/** Whose requests somebody sees: everybody's, those that one account pays or one line of keys sent, or none. */
export type View =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'one'; readonly account: AccountKey; readonly line: ApiKeyId }
  | { readonly kind: 'nobody' };

export const EVERYBODY: View = { kind: 'everybody' };

/** Whether a request is shown. The same as the conditions of the PostgreSQL store. */
export function isSeen(request: Owned, view: View): boolean {
  switch (view.kind) {
    case 'everybody':
      return true;
    case 'one':
      return request.account === view.account || request.apiKey?.line === view.line;
    case 'nobody':
      return false;
    default:
      return view satisfies never;
  }
}

/** A view as it was sent in JSON. Throws when it is none. */
export function decodeView(value: unknown): View {
  const view = decodeFields(value);
  const kind = decodeOneOf(['everybody', 'one', 'nobody'], view.kind);
  return kind === 'one'
    ? { kind, account: accountKey(decodeText(view.account)), line: apiKeyId(decodeText(view.line)) }
    : { kind };
}

/** Null also for what was written by a version that knew no keys. */
export function decodeUsedKey(value: unknown): UsedKey | null {
  return decodeNullable(value ?? null, (stored) => {
    const key = decodeFields(stored);
    return { id: apiKeyId(decodeText(key.id)), line: apiKeyId(decodeText(key.line)) };
  });
}
