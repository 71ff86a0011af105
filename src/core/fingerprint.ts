import type { ChatRequest } from './chat-request.ts';

/**
 * What a caller asks, as text: equal exactly when two requests ask the same, however they spelled it. Left out are the key itself, and
 * how long the caller waits, which a retry may change. A field that says nothing (null) is left out too, so that a later version with
 * one more field still finds what this one wrote.
 */
export function fingerprintOf({ idempotencyKey: _key, timeoutMs: _timeout, ...asked }: ChatRequest): string {
  return JSON.stringify(asked, (_name, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    return isFields(value) ? sorted(value) : value;
  });
}

function sorted(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const said = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(said.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
