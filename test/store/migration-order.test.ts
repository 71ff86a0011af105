import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Journal {
  readonly entries: readonly { readonly idx: number; readonly when: number; readonly tag: string }[];
}

test('each migration is later than the one before, or a database that has that one would never get it', () => {
  const text = readFileSync(new URL('../../drizzle/meta/_journal.json', import.meta.url), 'utf8');
  const { entries }: Journal = JSON.parse(text);
  for (const [index, { when, tag }] of entries.entries()) {
    expect(when, tag).toBeGreaterThan(entries[index - 1]?.when ?? 0);
  }
});
