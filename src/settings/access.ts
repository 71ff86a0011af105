/** What the settings about access may say. */
export const ACCESS_BOUNDS = {
  adminKeyCharsMin: 32,
  adminKeyCharsMax: 4_096,
  adminKeyDistinctMin: 8,
  originsMax: 100,
} as const;

/** Long enough not to be guessed, and none that somebody typed to fill the length. Null: it is not. */
export function parseAdminKey(text: string): string | null {
  const { adminKeyCharsMin, adminKeyCharsMax, adminKeyDistinctMin } = ACCESS_BOUNDS;
  const isPrintable = /^[\x21\x23-\x26\x28-\x7e]+$/.test(text);
  const isLong = text.length >= adminKeyCharsMin && text.length <= adminKeyCharsMax;
  return isPrintable && isLong && new Set(text).size >= adminKeyDistinctMin && !isRepeated(text) ? text : null;
}

/** Whether it is one short text again and again. */
function isRepeated(text: string): boolean {
  const half = Math.floor(text.length / 2);
  for (let period = 1; period <= half; period += 1) if (text.startsWith(text.slice(period))) return true;
  return false;
}

/** Null when one of them is no origin: a path, a wildcard, or nothing at all. */
export function parseOrigins(text: string): readonly string[] | null {
  const origins = text.split(',').map((part) => part.trim().toLowerCase());
  return origins.length <= ACCESS_BOUNDS.originsMax && origins.every(isOrigin) ? origins : null;
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
