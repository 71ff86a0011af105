import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('docs/security.md names for every threat a defence, and a test that is there', () => {
  const [, threats = ''] = read('docs/security.md').split('## Threats');
  const rows = [...threats.matchAll(/^\| (?!Asset|-)(.+) \| (.+) \| (.+) \| (.+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(10);
  expect(rows).toHaveLength(threats.match(/^\|(?!-| Asset)/gm)?.length ?? 0);
  const missing = rows.flatMap(([, _asset, attack, _defence, shown = '']) => {
    const named = [...shown.matchAll(/`(test\/[\w./-]+\.test\.ts)` "([^"]+)"/g)];
    const isThere = ([, path = '', title = '']: RegExpExecArray) =>
      existsSync(join(ROOT, path)) && read(path).includes(title);
    return named.length > 0 && named.every(isThere) ? [] : [attack];
  });
  expect(missing).toEqual([]);
});
