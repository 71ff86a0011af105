import type { z } from 'zod';

const SHOWN_CHARS_MAX = 60;

interface Said {
  readonly error: (issue: z.core.$ZodRawIssue) => string | undefined;
}

/** Words for whatever is wrong with a value, when only `words` would be right. */
export function says(words: string): Said {
  return { error: (issue) => (isUnknownKey(issue) ? undefined : wrong(issue.input, words)) };
}

/** As `says`, for values that may be secrets: they are not repeated. */
export function saysQuietly(words: string): Said {
  return { error: (issue) => absent(issue.input, words) ?? `must be ${words}` };
}

/** As `says`, for one word out of several: a slip of the pen is recognised. */
export function saysChoice(words: readonly string[]): Said {
  const among = `one of ${words.join(', ')}`;
  return { error: ({ input }) => `${wrong(input, among)}${didYouMean(input, words)}` };
}

export function wrong(value: unknown, words: string): string {
  return absent(value, words) ?? `is ${shown(value)}, but must be ${words}`;
}

/** A question for the nearest of the known words. Empty when none is near. */
export function didYouMean(value: unknown, known: readonly string[]): string {
  if (typeof value !== 'string' || value.length > SHOWN_CHARS_MAX) return '';
  const near = known
    .map((word) => ({ word, distance: editDistance(value.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .toSorted((first, second) => first.distance - second.distance);
  return near[0] === undefined ? '' : `; did you mean ${near[0].word}?`;
}

function isUnknownKey(issue: z.core.$ZodRawIssue): boolean {
  return issue.code === 'unrecognized_keys';
}

function absent(value: unknown, words: string): string | null {
  if (value === undefined) return `is missing: add ${words}`;
  return value === null ? `is empty: give it ${words}` : null;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

/** Insertions, deletions and replacements between two words, by Levenshtein. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
