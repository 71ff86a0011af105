import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Setting } from '../src/settings/setting.ts';
import { SETTINGS } from '../src/settings.ts';

const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);

test('docs/configuration.md tells every setting as the code has it', () => {
  const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  expect(page.match(/^\| `[A-Z_]+` \|.*$/gm)).toEqual(settings.map(rowOf));
});

function rowOf(setting: Setting<unknown>): string {
  const assumed = setting.default === null ? '–' : `\`${setting.default}\``;
  return `| \`${setting.name}\` | ${setting.unit ?? '–'} | ${assumed} | ${setting.bounds} | ${setting.meaning} |`;
}
