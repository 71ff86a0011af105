import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { breachesOf, FILE_LINES_MAX, RULES } from './support/tidy.ts';
import { cyclesAmong, ROOMS } from './support/tidy-rooms.ts';
import { importsOf, keepOnly } from './support/tidy-source.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = '{src,test,bench,arena,dashboard}/**/*.{ts,tsx}';
/** Nobody wrote them. */
const MADE = /\.generated\.ts$|^dashboard\/dist\//;
const CONFIG = join(ROOT, 'biome.json');
const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');

const sources = new Map(
  globSync(FOLDERS, { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !MADE.test(path))
    .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
);
const production = new Map([...sources].filter(([path]) => /^(?:src|dashboard)\//.test(path)));

describe('the sources', () => {
  test('keep every rule', () => {
    const breaches = [...sources].flatMap(([path, text]) => breachesOf(path, text));
    expect(breaches.map(({ path, line, rule, message }) => `${path}:${line} ${rule}: ${message}`)).toEqual([]);
  });

  test('import one another in one direction', () => {
    expect(cyclesAmong(production).map((cycle) => cycle.join(' -> '))).toEqual([]);
  });

  test('are really read', () => {
    expect([...production.keys()]).toContain('src/config.ts');
    expect([...sources.keys()]).toContain('test/tidy.test.ts');
  });
});

/** For every rule at least one breach: where it stands, and what it says. */
const BREACHES: readonly (readonly [rule: string, path: string, text: string])[] = [
  ['short files', 'src/http/door.ts', 'const a = 1;\n'.repeat(FILE_LINES_MAX + 1)],
  ['telling file names', 'src/gateway/chat-service.ts', ''],
  ['telling file names', 'src/http/index.ts', ''],
  ['telling file names', 'src/core/utils.ts', ''],
  ['telling file names', 'test/support/helpers.ts', ''],
  ['one room for each file', 'src/billing/bill.ts', ''],
  ['one room for each file', 'src/store/redis/store.ts', ''],
  ['imports as the table of rooms says', 'src/core/plan.ts', "import { z } from 'zod';"],
  ['imports as the table of rooms says', 'src/core/plan.ts', "import { randomUUID } from 'node:crypto';"],
  ['imports as the table of rooms says', 'src/core/plan.ts', "import type { Clock } from '../ports/clock.ts';"],
  ['imports as the table of rooms says', 'src/ports/store.ts', "import type { Chat } from '../gateway/chat.ts';"],
  ['imports as the table of rooms says', 'src/gateway/chat.ts', "import { a } from '../store/memory/a.ts';"],
  ['imports as the table of rooms says', 'src/gateway/chat.ts', "export * from '../providers/mock.ts';"],
  ['imports as the table of rooms says', 'src/gateway/chat.ts', "const pino = await import('pino');"],
  ['imports as the table of rooms says', 'src/providers/mock.ts', "import { a } from '../store/memory/a.ts';"],
  ['imports as the table of rooms says', 'src/store/memory/a.ts', "import { b } from '../postgres/b.ts';"],
  ['imports as the table of rooms says', 'src/store/memory/a.ts', "import { sql } from 'drizzle-orm';"],
  ['imports as the table of rooms says', 'src/store/embedded/a.ts', "import { b } from '../postgres/b.ts';"],
  ['imports as the table of rooms says', 'src/store/postgres/a.ts', "import { b } from '../../gateway/b.ts';"],
  ['imports as the table of rooms says', 'src/graphql/chat.ts', "import { a } from '../store/postgres/a.ts';"],
  ['imports as the table of rooms says', 'src/graphql/chat.ts', "import { a } from '../http/server.ts';"],
  ['imports as the table of rooms says', 'src/http/rest.ts', "import postgres from 'postgres';"],
  ['imports as the table of rooms says', 'src/telemetry/log.ts', "import { a } from '../gateway/chat.ts';"],
  ['imports as the table of rooms says', 'src/config.ts', "import { a } from './app.ts';"],
  ['imports as the table of rooms says', 'src/main.ts', "import { a } from './store/memory/a.ts';"],
  ['imports as the table of rooms says', 'src/http/rest.ts', "import { startApp } from '../app.ts';"],
  ['imports as the table of rooms says', 'src/http/rest.ts', "import { makePlan } from '../core/plan.ts';"],
  ['imports as the table of rooms says', 'src/app.ts', "import { fake } from '../test/fakes/clock.ts';"],
  ['imports as the table of rooms says', 'dashboard/view/card.tsx', "import { a } from '../live/line.ts';"],
  ['imports as the table of rooms says', 'dashboard/live/line.ts', "import { a } from '../view/card.tsx';"],
  ['imports as the table of rooms says', 'dashboard/model/story.ts', "import { render } from 'preact';"],
  ['imports as the table of rooms says', 'dashboard/live/line.ts', "import { a } from '../../src/core/breaker.ts';"],
  ['one room for each file', 'dashboard/charts/chart.tsx', ''],
  ['nothing is claimed with as', 'dashboard/view/card.tsx', 'const card = value as Card;'],
  ['relative imports end in .ts', 'src/http/rest.ts', "import { a } from './door';"],
  ['relative imports end in .ts', 'test/rest.test.ts', "import { a } from '../src/http/rest.js';"],
  ['core is pure', 'src/core/plan.ts', 'export async function plan() {}'],
  ['core is pure', 'src/core/plan.ts', 'const now = Date.now();'],
  ['core is pure', 'src/core/plan.ts', 'const now = new Date();'],
  ['core is pure', 'src/core/plan.ts', 'const chance = Math.random();'],
  ['core is pure', 'src/core/plan.ts', 'process.exit();'],
  ['ports are types', 'src/ports/store.ts', 'export const a = 1;'],
  ['ports are types', 'src/ports/store.ts', 'export class Store {}'],
  ['ports import types', 'src/ports/store.ts', "import { ZERO_USD } from '../core/money.ts';"],
  ['the gateway knows no vendor, SQL or HTTP', 'src/gateway/chat.ts', "if (key === 'openai') return;"],
  [
    'the gateway knows no vendor, SQL or HTTP',
    'src/gateway/chat.ts',
    'const q = `select spent from account where 1=1`;',
  ],
  ['the gateway knows no vendor, SQL or HTTP', 'src/gateway/chat.ts', 'fetch(url);'],
  ['only config reads the environment', 'src/config.ts', 'const port = process.env.PORT;'],
  ['only config reads the environment', 'src/main.ts', 'const port = process.env.PORT;'],
  ['only config reads the environment', 'src/main.ts', 'start(process.env);'],
  ['only config reads the environment', 'src/cli/chat.ts', 'const port = shell.env.PORT;'],
  ['only config reads the environment', 'src/cli/chat.ts', 'readSetup(process.env);'],
  ['only config reads the environment', 'src/http/server.ts', 'parseConfig(process.env);'],
  ['only config reads the environment', 'src/http/server.ts', "import { env } from 'node:process';"],
  ['nothing is claimed with as', 'src/http/rest.ts', 'const body = value as Body;'],
  ['nothing is claimed with as', 'src/http/rest.ts', 'const body = value as unknown as { a: string };'],
  ['nothing is claimed with as', 'src/core/plan.ts', 'const at = 5 as EpochMs;'],
  ['nobody talks to the console', 'src/http/rest.ts', "console.log('here');"],
  ['named exports', 'src/http/rest.ts', 'export default function rest() {}'],
  ['no test is left out', 'test/a.test.ts', "test.skip('a', () => {});"],
  ['no test is left out', 'test/a.test.ts', "describe.only('a', () => {});"],
  ['no test is left out', 'test/a.test.ts', "test.todo('a');"],
  ['no test is left out', 'test/a.test.ts', "test.only.each([1])('a', () => {});"],
  ['no mock that asserts itself', 'test/a.test.ts', "vi.mock('../src/config.ts');"],
  ['no mock that asserts itself', 'test/a.test.ts', 'expect(spy).toHaveBeenCalledTimes(1);'],
  ['nothing is left for later', 'src/http/rest.ts', '// TODO: later'],
  ['nothing is left for later', 'test/a.test.ts', '/* FIXME */'],
  ['the compiler is not silenced', 'src/http/rest.ts', '// @ts-expect-error'],
];

/** Close to a breach, but none. */
const INNOCENT: readonly (readonly [path: string, text: string])[] = [
  ['src/core/plan.ts', "// await Date.now(), process.env and 'openai as Vendor'\nconst s = 'await process.env';"],
  ['src/core/period.ts', 'const day = new Date(instant); const at = Date.UTC(2026, 1);'],
  ['src/core/money.ts', 'export const usd = (n: bigint) => n as PicoUsd;'],
  [
    'src/http/rest.ts',
    "import * as yoga from 'graphql-yoga';\nimport { a as b } from '../graphql/a.ts';\nexport { b as c };",
  ],
  ['src/http/rest.ts', "const KINDS = ['a'] as const; type Up = { [K in keyof T as Uppercase<K>]: T[K] };"],
  [
    'src/http/rest.ts',
    "import type { Plan } from '../core/plan.ts';\nimport { makePlan } from '../gateway/preview.ts';",
  ],
  ['src/http/rest.ts', "import { CATEGORIES, parseChat, type Plan } from '../core/plan.ts';"],
  ['src/graphql/money.ts', "import { picoUsd } from '../core/money.ts';"],
  ['src/store/postgres/a.ts', "import { bigint } from 'drizzle-orm/pg-core';\nimport postgres from 'postgres';"],
  ['src/main.ts', "import { runSwitchyard } from './cli/commands.ts';\nrunSwitchyard([], { env: process.env, more });"],
  ['src/app.ts', "import pino from 'pino';\nimport { a } from './store/memory/a.ts';"],
  [
    'src/ports/store.ts',
    "import type { PicoUsd } from '../core/money.ts';\nexport interface Store { readonly held: PicoUsd }",
  ],
  ['test/a.test.ts', "test('skip the TODO', () => { const only = list.todo; expect(only).toBe(1); });"],
  ['src/gateway/chat.ts', '// As OpenAI does it, select one from many\nconst found = 1;'],
];

describe('the rules', () => {
  test.each(BREACHES)('catch a breach of "%s" in %s (%#)', (rule, path, text) => {
    expect(breachesOf(path, text).map((breach) => breach.rule)).toContain(rule);
  });

  test.each(INNOCENT)('leave innocent code in %s alone (%#)', (path, text) => {
    expect(breachesOf(path, text)).toEqual([]);
  });

  test('are each tried by a breach', () => {
    expect(new Set(BREACHES.map(([rule]) => rule))).toEqual(new Set(Object.keys(RULES)));
  });

  test('name the line of a breach', () => {
    const text = "import a from './a.ts';\n\n/* two\nlines */ const s = `\n`;\nconst b = c as D;\n";
    expect(breachesOf('src/http/rest.ts', text)).toMatchObject([{ line: 6, rule: 'nothing is claimed with as' }]);
  });

  test('find a loop of imports, also one of types', () => {
    const loop = new Map([
      ['src/core/a.ts', "import { b } from './b.ts';"],
      ['src/core/b.ts', "import type { C } from './c.ts';"],
      ['src/core/c.ts', "import { a } from './a.ts';\nimport { d } from './d.ts';"],
      ['src/core/d.ts', ''],
    ]);
    expect(cyclesAmong(loop)).toEqual([['src/core/a.ts', 'src/core/b.ts', 'src/core/c.ts', 'src/core/a.ts']]);
  });

  test('know only rooms that the table itself names', () => {
    const named = Object.values(ROOMS).flatMap(({ rooms }) => rooms.filter((room) => room !== '*'));
    expect(named.filter((room) => !(room in ROOMS))).toEqual([]);
  });
});

describe('the scanner', () => {
  test('tells code from strings, templates, regular expressions and comments', () => {
    const text = `a = \`x \${ { b: \`y \${c} /* s */\` } } z\` / 2; // 'x
r = /['"\`/]\\//g; d = a / b / c; return /x/.test('q')`;
    const code = 'a = { b: c } / 2; \nr = ; d = a / b / c; return .test( )';
    expect(keepOnly(text, ['code']).replace(/ +/g, ' ')).toBe(code);
    expect(keepOnly(text, ['code'])).toHaveLength(text.length);
    expect(keepOnly(text, ['code', 'string', 'comment'])).toBe(text);
  });

  test('finds every form of import, and none in strings', () => {
    const text = `import a, { b } from 'one';
      import type { T } from './two.ts';
      import { type U, importsOf } from './three.ts';
      export * from './four.ts';
      import 'five';
      const six = await import('six');
      const no = "import x from 'no'" + Array.from('no'); // from 'no'`;
    expect(importsOf(text)).toEqual([
      { specifier: 'one', line: 1, values: ['*'] },
      { specifier: './two.ts', line: 2, values: [] },
      { specifier: './three.ts', line: 3, values: ['importsOf'] },
      { specifier: './four.ts', line: 4, values: ['*'] },
      { specifier: 'five', line: 5, values: ['*'] },
      { specifier: 'six', line: 6, values: ['*'] },
    ]);
  });
});

/** What only a parser can see is Biome's part: each file breaks the rule beside it. */
const BIOME_BREACHES: readonly (readonly [path: string, rule: string, text: string])[] = [
  ['src/http/any.ts', 'suspicious/noExplicitAny', 'export const a = (b: any) => b;\n'],
  ['src/http/bang.ts', 'style/noNonNullAssertion', 'export const a = (b: string | null) => b!;\n'],
  ['src/http/enum.ts', 'style/noEnum', 'export enum A {\n  B = 1,\n}\n'],
  ['src/http/space.ts', 'style/noNamespace', 'export namespace A {\n  export const b = 1;\n}\n'],
  [
    'src/http/long.ts',
    'complexity/noExcessiveLinesPerFunction',
    `export function long() {\n${'  void 0;\n'.repeat(61)}}\n`,
  ],
  ['src/http/loop.ts', 'suspicious/noImportCycles', "import { b } from './pool.ts';\nexport const a = () => b;\n"],
  ['src/http/pool.ts', 'suspicious/noImportCycles', "import { a } from './loop.ts';\nexport const b = () => a;\n"],
  ['src/core/far.ts', 'style/noRestrictedImports', "export { a } from '../ports/a.ts';\n"],
  ['src/core/lib.ts', 'style/noRestrictedImports', "export { z } from 'zod';\n"],
  ['src/ports/far.ts', 'style/noRestrictedImports', "export type { A } from '../gateway/a.ts';\n"],
  ['src/gateway/far.ts', 'style/noRestrictedImports', "export { a } from '../store/memory/a.ts';\n"],
];

describe('Biome', () => {
  test('is told to mind what only a parser can see', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-tidy-'));
    try {
      const { vcs: _vcs, $schema: _schema, ...settings } = JSON.parse(readFileSync(CONFIG, 'utf8'));
      writeFileSync(join(folder, 'biome.json'), JSON.stringify(settings));
      for (const [path, , text] of BIOME_BREACHES) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      const found = await lint(folder);
      for (const [path, rule] of BIOME_BREACHES) expect(found).toContain(`${path} lint/${rule}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** Each error as `path rule`. */
async function lint(folder: string): Promise<readonly string[]> {
  const args = [BIOME, 'lint', '--reporter=github', '--max-diagnostics=none', '.'];
  const output = await new Promise<string>((resolve) => {
    // Biome ends with 1 because it finds something; what it found is on stdout.
    execFile(process.execPath, args, { cwd: folder, timeout: 20_000 }, (_, stdout) => resolve(stdout));
  });
  return [...output.matchAll(/^::error title=([^,]+),file=([^,]+),/gm)].map(
    ([, rule, file]) => `${file?.replace(`${folder}/`, '')} ${rule}`,
  );
}
