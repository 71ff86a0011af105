/** What counts as an echo, and what stands for it. Shorter ones are words that a message may have by itself. */
export const ECHO = { charsMin: 20, by: '[prompt]' } as const;

/**
 * Takes out of a text every run of at least `ECHO.charsMin` characters that also stands in one of `said`. Runs are compared by a
 * rolling hash, in one pass over each text: two that only hash alike are taken for the same, so that too much may go, never too little.
 */
export function withoutEchoes(text: string, said: readonly string[]): string {
  const own: number[] = [];
  overRuns(text, (hash) => void own.push(hash));
  const known = new Set(own);
  const found = new Set<number>();
  for (const other of said) {
    overRuns(other, (hash) => {
      if (known.has(hash)) found.add(hash);
    });
  }
  if (found.size === 0) return text;
  let rest = '';
  let echoedTo = 0;
  for (let at = 0; at < text.length; at += 1) {
    const hash = own[at];
    if (hash !== undefined && found.has(hash)) {
      if (at >= echoedTo) rest += ECHO.by;
      echoedTo = at + ECHO.charsMin;
    }
    if (at >= echoedTo) rest += text.charAt(at);
  }
  return rest;
}

/** Any odd number that is not small will do. */
const BASE = 0x0100_0193;
/** What the oldest character of a run has been multiplied by. */
const OLDEST = Array.from({ length: ECHO.charsMin - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1);

/** Visits each run of `ECHO.charsMin` characters, as 32 bits. */
function overRuns(text: string, visit: (hash: number) => void): void {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) {
    const oldest = at - ECHO.charsMin;
    if (oldest >= 0) hash -= Math.imul(text.charCodeAt(oldest), OLDEST);
    hash = (Math.imul(hash, BASE) + text.charCodeAt(at)) | 0;
    if (oldest >= -1) visit(hash);
  }
}

/** Every text in a value, however deep it stands. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
