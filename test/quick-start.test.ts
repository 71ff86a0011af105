import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startService } from './support/running.ts';

const ROOT = join(import.meta.dirname, '..');

/** What each snippet of the page shows, in its order, and how it ends. */
const SHOWN: readonly (readonly [shown: RegExp, code: number])[] = [
  [
    /^Mock response from \w+: Write a short poem about trains\.\.\.\n[\s\S]* left {2}[\s\S]*answered a writing prompt/,
    0,
  ],
  [/"object":"chat\.completion".*Mock response/, 0],
  [/"key":"google","simulation":\{"mode":"ERROR","endsAt":"20/, 0],
  [/"summary":"[^"]+".*"candidates":\[.*"attempts":\[\{"number":1,/, 0],
  [/"limitUsd":"0\.0001","spentUsd":"0\.00".*\n*BUDGET_EXCEEDED: /, 1],
];

test('docs/quick-start.md shows what its snippets really do, one after the other', async () => {
  const page = readFileSync(join(ROOT, 'docs/quick-start.md'), 'utf8');
  const snippets = [...page.matchAll(/^<!-- run by test\/quick-start\.test\.ts -->\n```sh\n(.*?)^```/gms)];
  expect(snippets).toHaveLength(SHOWN.length);
  await using service = await startService({}, ['demo', '--no-traffic']);
  for (const [index, [, snippet = '']] of snippets.entries()) {
    const script = snippet
      .replaceAll('http://127.0.0.1:4000', service.url)
      .replaceAll('npx switchyard', `node ${join(ROOT, 'src/main.ts')}`);
    const [shown, code] = SHOWN[index] ?? [/never/, 0];
    const ended = await run(script, service.url);
    expect(ended.said, snippet).toMatch(shown);
    expect(ended.code, snippet).toBe(code);
  }
}, 120_000);

/** Runs it as a shell does, with everything that it writes in one text. */
function run(script: string, url: string): Promise<{ readonly code: number; readonly said: string }> {
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`, SWITCHYARD_URL: url };
  return new Promise((resolve) => {
    // What a person's own shell is set up with is no part of it.
    execFile('bash', ['--norc', '-c', script], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), said: stdout + stderr });
    });
  });
}
