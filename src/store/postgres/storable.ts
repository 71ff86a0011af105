/** Text as PostgreSQL can keep it: it takes neither NUL nor half a surrogate pair, and providers and callers send both. */
export function storableText(text: string): string {
  return isStorableText(text) ? text : text.toWellFormed().replaceAll('\0', '\uFFFD');
}

export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Whether a `bigint` column has room for an amount, in pico-dollars: up to 9.2 million US dollars. */
export function isStorableMoney(amount: bigint): boolean {
  return BigInt.asIntN(64, amount) === amount;
}

/** What JSON.stringify makes of a NUL or of half a surrogate pair. A backslash before a `u` in the text looks the same: it only costs a second walk. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/;

/** JSON for a jsonb value. Money goes in as text, or JSON numbers would round it on the way back. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!UNSTORABLE.test(json)) return json;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? storableText(inner) : inner));
}

/** The last instant that can be written with four digits for the year. */
const LAST_INSTANT_MS = 253_402_300_799_999;

/** An instant as text. Nothing is recorded before 1970 or after 9999: instants beyond, which PostgreSQL may not know, mean the same. */
export function storableInstant(instantMs: number): string {
  return new Date(Math.min(Math.max(instantMs, 0), LAST_INSTANT_MS)).toISOString();
}

/** Whether a text is a UUID in the one spelling that we give out. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
