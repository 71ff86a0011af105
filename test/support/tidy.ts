import { importBreach, roomOf } from './tidy-rooms.ts';
import { importsOf, keepOnly, lineAt } from './tidy-source.ts';

export const FILE_LINES_MAX = 300;

/** One place that breaks one rule. */
export interface Breach {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

type Finding = Pick<Breach, 'line' | 'message'>;
type Rule = (path: string, text: string) => readonly Finding[];

const BANNED_NAME = /(?:^|[-.])(?:services?|managers?|helpers?|utils?|common|types?|index)(?=[-.])/;
const BRAND_FILES = ['src/core/money.ts', 'src/core/time.ts', 'src/core/ids.ts'];
const ENTRY_FILE = 'src/main.ts';

/**
 * The rules that a parser is not needed for. What one is needed for (`any`, `!`, `enum`, `namespace`, the length of
 * functions) is left to Biome; test/tidy.test.ts proves that Biome is told to mind it.
 */
export const RULES: Readonly<Record<string, Rule>> = {
  'short files': (_, text) => {
    const lines = text.trimEnd().split('\n').length;
    return lines <= FILE_LINES_MAX ? [] : [{ line: lines, message: `${lines} lines, at most ${FILE_LINES_MAX}` }];
  },
  'telling file names': (path) => {
    const name = BANNED_NAME.exec(path.slice(path.lastIndexOf('/') + 1))?.[0];
    return name === undefined ? [] : [{ line: 1, message: `a file is called after its noun, not "${name}"` }];
  },
  'one room for each file': (path) =>
    isProduct(path) && roomOf(path) === null ? [{ line: 1, message: 'has no row in the table of rooms' }] : [],
  'imports as the table of rooms says': (path, text) =>
    importsOf(text).flatMap((wanted) => {
      const message = importBreach(path, wanted);
      return message === null ? [] : [{ line: wanted.line, message }];
    }),
  'relative imports end in .ts': (_, text) =>
    importsOf(text)
      .filter(({ specifier }) => specifier.startsWith('.') && !/\.(?:tsx?|css)$/.test(specifier))
      .map(({ specifier, line }) => ({ line, message: `${specifier} must end in .ts` })),
  'core is pure': inCode({
    where: isIn('core'),
    pattern:
      /\b(?:await|async|process|performance|crypto|console|setTimeout|setInterval|setImmediate|fetch)\b|\bMath\.random\b|\bDate\.now\b|\bnew Date\(\s*\)|(?<!\bnew )\bDate\(/g,
    message: 'the clock, chance, waiting and the world stay outside of core',
  }),
  'ports are types': inCode({
    where: isIn('ports'),
    pattern: /^export\s+(?!type\b|interface\b)[^\n]*/gm,
    message: 'a promise has no value',
  }),
  'ports import types': (path, text) =>
    roomOf(path) === 'ports'
      ? importsOf(text)
          .filter(({ values }) => values.length > 0)
          .map(({ line, values }) => ({ line, message: `imports the value ${values.join(', ')}` }))
      : [],
  'the gateway knows no vendor, SQL or HTTP': inWords({
    where: isIn('gateway'),
    pattern:
      /openai|anthropic|gemini|google|claude|groq|\bgpt\b|\b(?:insert\s+into|delete\s+from|select\s[^;]+?\sfrom|update\s+\w+\s+set)\s|\bfetch\s*\(|\bnew (?:Request|Response|Headers)\b/gi,
    message: 'the gateway tells the story of a request, in no vendor’s words',
  }),
  'only config reads the environment': (path, text) => environmentFindings(path, text),
  'nothing is claimed with as': (path, text) =>
    isProduct(path) && !BRAND_FILES.includes(path) ? claimFindings(text) : [],
  'nobody talks to the console': inCode({
    where: (path) => isProduct(path),
    pattern: /\bconsole\./g,
    message: 'log through telemetry; commands talk through their shell',
  }),
  'named exports': inCode({
    // Vite wants its settings so.
    where: (path) => isProduct(path) && path !== 'dashboard/vite.config.ts',
    pattern: /\bexport\s+default\b/g,
    message: 'export it by its name',
  }),
  'no test is left out': inCode({
    where: (path) => path.startsWith('test/'),
    pattern: /\.(?:skip|only|todo)\b(?=\s*[.(])/g,
    message: 'a test runs or goes',
  }),
  'no mock that asserts itself': inCode({
    where: (path) => path.startsWith('test/'),
    pattern: /\bvi\.(?:mock|doMock|hoisted)\b|\btoHaveBeenCalled\w*/g,
    message: 'use a fake, and assert what the caller can see',
  }),
  'nothing is left for later': (_, text) =>
    matchesIn(keepOnly(text, ['code', 'comment']), /\b(?:TODO|FIXME|XXX)\b/g, 'do it, or write an issue'),
  'the compiler is not silenced': (path, text) =>
    isProduct(path)
      ? matchesIn(keepOnly(text, ['comment']), /@ts-(?:ignore|expect-error|nocheck)/g, 'mend the type instead')
      : [],
};

/** What is run for users, and not only to build or to test it. */
function isProduct(path: string): boolean {
  return path.startsWith('src/') || path.startsWith('dashboard/');
}

/** Everything that one file breaks. */
export function breachesOf(path: string, text: string): readonly Breach[] {
  return Object.entries(RULES).flatMap(([rule, find]) =>
    find(path, text).map((finding) => ({ path, rule, ...finding })),
  );
}

interface Ban {
  readonly where: (path: string) => boolean;
  readonly pattern: RegExp;
  readonly message: string;
}

function inCode({ where, pattern, message }: Ban): Rule {
  return (path, text) => (where(path) ? matchesIn(keepOnly(text, ['code']), pattern, message) : []);
}

/** As `inCode`, but strings count too: that is where SQL and names of vendors stand. */
function inWords({ where, pattern, message }: Ban): Rule {
  return (path, text) => (where(path) ? matchesIn(keepOnly(text, ['code', 'string']), pattern, message) : []);
}

function isIn(room: string): (path: string) => boolean {
  return (path) => roomOf(path) === room;
}

function matchesIn(text: string, pattern: RegExp, message: string): readonly Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({
    line: lineAt(text, match.index),
    message: `${match[0].trim()}: ${message}`,
  }));
}

/** The entry file hands `process.env` on as it is to the commands, which hand it on to the parsers of settings; nobody else mentions it, and nobody picks from it. */
function environmentFindings(path: string, text: string): readonly Finding[] {
  if (!path.startsWith('src/')) return [];
  const code = keepOnly(text, ['code']);
  const handedOn = path === ENTRY_FILE ? code.replace(/\benv: process\.env,/, '') : code;
  const mentioned = matchesIn(handedOn, /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[/g, 'only config.ts knows settings');
  const picked =
    roomOf(path) === 'cli' ? matchesIn(code, /\benv\s*(?:\??\.|\[)/g, 'settings are parsed, not picked') : [];
  const imported = importsOf(text).filter(({ specifier }) => /^(?:node:)?process$/.test(specifier));
  return [...mentioned, ...picked, ...imported.map(({ line }) => ({ line, message: 'use the global `process`' }))];
}

/** `as` says what the compiler cannot know. Left alone: `as const`, renamed imports and exports, and keys of mapped types. */
function claimFindings(text: string): readonly Finding[] {
  const blank = (found: string) => found.replace(/[^\n]/g, ' ');
  const code = keepOnly(text, ['code'])
    .replaceAll(/\b(?:import|export)\s+(?:type\s+)?(?:\w+\s*,\s*)?(?:\{[^}]*\}|\*\s+as\s+\w+)/g, blank)
    .replaceAll(/\[\s*\w+\s+in\s[^\]]*?\bas\b/g, blank);
  return matchesIn(code, /\bas\s+(?!const\b)[\w{[(]+/g, 'parse it instead');
}
