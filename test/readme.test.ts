import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, validate } from 'graphql';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { userAccount } from '../src/core/ids.ts';
import { formatUsd } from '../src/core/money.ts';
import { schema } from '../src/graphql/schema.ts';
import { parseEndpoints } from '../src/registry/endpoints.ts';
import { registryInForce } from '../src/registry/in-force.ts';
import { DEFAULT_REGISTRY_PATH, readRegistry } from '../src/registry/read.ts';
import { SILENT_LOG } from './fakes/log.ts';
import { makeGatewayKit, quiet, REPLICA } from './support/gateway-kit.ts';
import { openTestStore } from './support/open-test-store.ts';
import { SEED_REGISTRY } from './support/registries.ts';
import { startService } from './support/running.ts';
import { makeDatabase } from './support/store-database.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT });
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The text between the fences of every block of a language. */
const blocksOf = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');

describe('README.md', () => {
  const text = read('README.md');

  test('shows an answer that its command really gets, but for ids and times', async () => {
    const command = /^<!-- run by test\/readme\.test\.ts -->\n```sh\n(.*?)^```/ms.exec(text)?.[1] ?? '';
    const answer = /^<!-- real answer: pasted from a run -->\n```json\n(.*?)^```/ms.exec(text)?.[1] ?? '';
    const { path, body } = /^curl -s http:\/\/127\.0\.0\.1:4000(?<path>\/\S*) .*-d '(?<body>.*)'\n$/s.exec(command)!
      .groups!;
    await using service = await startService({ STORE: 'memory', MOCK_FAILURE_RATE: '0.1' });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(service.url + path, { method: 'POST', headers, body: body! });
    expect(masked(await response.json())).toEqual(masked(JSON.parse(answer)));
  });

  test('promises what tests show, by names that they really have', () => {
    const promises = [...text.matchAll(/\| `(test\/\S+\.test\.ts)`: "(.+?)" \|$/gm)];
    expect(promises.length).toBeGreaterThan(5);
    for (const [, file = '', name = ''] of promises) expect(read(file), file).toContain(name);
  });

  test('names the test command that the checks of a fresh machine run', () => {
    const [command = ''] = blocksOf(text, 'sh').filter((block) => block.includes('npm test'));
    expect(read('.ci/run')).toContain(`\n${command.trim()} || status=1\n`);
    expect(blocksOf(read('CONTRIBUTING.md'), 'sh')).toContain(command);
  });
});

/** The same answer with everything blank that no two runs share. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, field]) => [name, isOfOneRun(name) ? typeof field : masked(field)]));
}

function isOfOneRun(name: string): boolean {
  return /(?:^id|Id|Ms|At)$/.test(name);
}

describe('the documents', () => {
  test('link only to what is there', () => {
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
        const [path = '', anchor = null] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        const isThere = existsSync(join(ROOT, target)) && (anchor === null || anchorsOf(read(target)).has(anchor));
        return isThere ? [] : [`${page}: ${link}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  test('name only npm scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = PAGES.flatMap((page) =>
      [...read(page).matchAll(/npm (?:run (?:--silent )?([a-z-]+)|(start|test)\b)/g)].map(
        (match) => match[1] ?? match[2],
      ),
    );
    expect(named.filter((name) => name === undefined || !(name in scripts))).toEqual([]);
  });

  test('show only GraphQL that the schema takes', () => {
    const wrong = PAGES.flatMap((page) =>
      blocksOf(read(page), 'graphql').flatMap((block) => {
        const isPart = block.startsWith('...');
        const document = parse(isPart ? `mutation { chat(input: { prompt: "hello" }) { ${block} } }` : block);
        return validate(schema, document).map((error) => `${page}: ${error.message}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('have decisions of at most 40 lines, each with context, decision and consequences, numbered without a gap', () => {
    const records = PAGES.filter((page) => page.startsWith('docs/decisions/')).sort();
    for (const [index, page] of records.entries()) {
      const number = String(index + 1).padStart(4, '0');
      expect(page).toMatch(new RegExp(`/${number}-[a-z0-9-]+\\.md$`));
      const text = read(page);
      expect(text).toMatch(
        new RegExp(
          `^# ${number}\\. .*\\*\\*Context\\.\\*\\*.*\\*\\*Decision\\.\\*\\*.*\\*\\*Consequences\\.\\*\\*`,
          's',
        ),
      );
      expect(text.trimEnd().split('\n').length, page).toBeLessThanOrEqual(40);
    }
  });
});

/** As a reader of Markdown on the web makes them out of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const toAnchor = (heading: string) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '');
  return new Set(headings.map((heading) => toAnchor(heading).replaceAll(' ', '-')));
}

test('the worked example of docs/routing.md is what the code computes', async () => {
  const file = await readRegistry(DEFAULT_REGISTRY_PATH);
  if (file.kind !== 'valid') throw new Error('the default registry is not valid');
  const resolved = parseEndpoints({ ...file, variable: () => null });
  if (resolved.kind !== 'valid') throw new Error('the default registry needs settings');
  await using kit = makeGatewayKit({ registry: registryInForce(file.registry, resolved.endpoints) });
  const page = read('docs/routing.md');
  const prompt = /^`(.+)` to a fresh service without keys\./m.exec(page)?.[1] ?? '';
  const { decision } = await kit.preview({ prompt });
  const shown = [
    ...page.matchAll(/^\| `(\w+)` \| ([\d.]+).*? \| .*? \| .*? \| (0\.\d+) \| (0\.\d+) \| (0\.\d+) \| (0\.\d+) \|$/gm),
  ];
  expect(shown.map(([, ...cells]) => cells)).toEqual(
    decision.candidates.map(({ provider, estimatedCost, scoreTerms, score }) => [
      provider,
      formatUsd(estimatedCost),
      ...scoreTerms.map(({ value, weight }) => (value * weight).toFixed(4)),
      (score ?? 0).toFixed(4),
    ]),
  );
  expect(page).toContain(`\`${decision.classification.category.toUpperCase()}\`, in which`);
});

test('the queries of docs/budgets.md find nothing in books with every kind of ending, and find what was tampered with', async () => {
  const [held = '', ended = '', limits = '', report = ''] = blocksOf(read('docs/budgets.md'), 'sql');
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await makeDatabase());
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  stack.defer(() => sql.end());
  const options = { kind: 'postgres', url, registry: SEED_REGISTRY, replica: REPLICA, log: SILENT_LOG } as const;
  const store = stack.use(await openTestStore(options));
  const kit = stack.use(makeGatewayKit({ registry: SEED_REGISTRY, store }));
  const chat = () => kit.chat({ prompt: 'Hello, how are you?', userId: 'ann', routing: { only: ['google'] } });
  const spread = async () => (await sql`select kind from switchyard.ledger_entry`).map(({ kind }) => kind);

  await chat();
  kit.provider('google').script({ kind: 'fail', failure: { kind: 'rejected', billed: 'nothing' } });
  await chat();
  kit.provider('google').script({ kind: 'hang' });
  const hanging = chat();
  await quiet();
  while ((await sql`select 1 from switchyard.hold where state = 'held'`).length === 0) await quiet();
  await sql`update switchyard.hold set expires_at = now() where state = 'held'`;
  await store.reap(10);
  expect(await spread()).toContain('unconfirmed');
  for (const query of [held, ended, limits]) expect(await sql.unsafe(query)).toEqual([]);
  expect(await sql.unsafe(report)).toHaveLength(1);
  kit.clock.advance(60_000);
  await hanging;
  expect(await spread()).toContain('correction');
  for (const query of [held, ended, limits]) expect(await sql.unsafe(query)).toEqual([]);

  await sql`update switchyard.account set held = 1, posted = posted + 2000000000000 where key = ${userAccount('ann')}`;
  for (const query of [held, limits]) expect(await sql.unsafe(query)).toHaveLength(1);
  const [found = ''] = blocksOf(read('docs/operations.md'), 'sql');
  await store.checkBooks({ accountsMax: 10, entriesMax: 100, restMs: 0 });
  expect(await sql.unsafe(found)).toMatchObject([{ held_too_much: '1', posted_too_much: '2000000000000' }]);
  await sql`update switchyard.hold set state = 'held' where state = 'voided'`;
  expect(await sql.unsafe(ended)).toHaveLength(1);
});
