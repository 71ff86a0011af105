import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild } from './child.ts';
import { openLedger } from './ledger.ts';
import { type LoadResult, load, type Target } from './load.ts';
import { registryFor } from './registry.ts';
import { printTable } from './table.ts';

const USAGE = `Usage: npm run bench [-- --rounds N --seconds N]

Measures chat against an upstream that answers at once, on loopback, on both stores, beside a bare proxy and a bare
GraphQL resolver in the same run; then what the books alone can do, beside a bare UPDATE of one row. Rounds are interleaved
and the median is shown. Trust the ratios, not the figures.`;

const LIMITS = { roundsMax: 20, secondsMax: 10, countMax: 9_000, warmUpMs: 1_000 } as const;
const CALLERS = [1, 64] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else await bench(bounded(values.rounds, LIMITS.roundsMax), bounded(values.seconds, LIMITS.secondsMax));

async function bench(rounds: number, seconds: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const upstream = stack.use(await startChild('bench/upstream.ts'));
  const registry = join(folder, 'registry.json');
  await writeFile(registry, JSON.stringify(registryFor(upstream.url)));
  const settings = {
    PORT: '0',
    SWITCHYARD_CONFIG: registry,
    LOG_LEVEL: 'silent',
    DATA_DIR: join(folder, 'data'),
    STORE_TIMEOUT_MS: '5000',
  };
  const bare = stack.use(await startChild('bench/bare-graphql.ts'));
  const proxy = stack.use(await startChild('bench/proxy.ts', { UPSTREAM_URL: upstream.url }));
  const memory = stack.use(await startChild('src/main.ts', { ...settings, STORE: 'memory' }));
  const postgres = stack.use(await startChild('src/main.ts', { ...settings, STORE: 'embedded' }));
  const chats = new Map([
    ['bare node:http proxy', proxyTarget(proxy.url)],
    ['bare GraphQL resolver', chatTarget(bare.url)],
    ['chat, memory', chatTarget(memory.url)],
    ['chat, journal and PostgreSQL 18', chatTarget(postgres.url)],
  ]);
  const loads = new Map(Array.from(chats, ([name, target]) => [name, (limits: Limits) => load(target, limits)]));
  for (const callers of CALLERS) printTable(callers, await interleave(loads, { callers, rounds, seconds }));

  const ledger = stack.use(await openLedger(join(folder, 'ledger')));
  const callers = Math.max(...CALLERS);
  printTable(callers, await interleave(ledger.targets, { callers, rounds, seconds }));
}

type Limits = Parameters<typeof load>[1];

/** Measures all of them in turn, again and again, so that what disturbs the machine disturbs them alike. */
async function interleave(
  targets: ReadonlyMap<string, (limits: Limits) => Promise<LoadResult>>,
  of: { readonly callers: number; readonly rounds: number; readonly seconds: number },
): Promise<ReadonlyMap<string, readonly LoadResult[]>> {
  const { callers } = of;
  const results = new Map<string, LoadResult[]>([...targets.keys()].map((name) => [name, []]));
  for (const run of targets.values()) await run({ callers, forMs: LIMITS.warmUpMs, countMax: LIMITS.countMax });
  for (let round = 1; round <= of.rounds; round += 1) {
    console.error(`${callers} callers: round ${round} of ${of.rounds}`);
    for (const [name, run] of targets) {
      results.get(name)?.push(await run({ callers, forMs: of.seconds * 1000, countMax: LIMITS.countMax }));
    }
  }
  return results;
}

function proxyTarget(url: string): Target {
  const body = JSON.stringify({ model: 'bench-1', messages: [{ role: 'user', content: 'Is the line clear?' }] });
  return { url, path: '/v1/chat/completions', body: () => body, check: expectText('All clear.') };
}

function chatTarget(url: string): Target {
  const query =
    'mutation Bench($input: ChatInput!) { chat(input: $input) { ... on ChatSuccess { content cost { totalUsd } routing { summary } } } }';
  const body = (sequence: number) =>
    JSON.stringify({
      query,
      variables: { input: { prompt: 'Is the line clear?', userId: `user-${sequence % 1000}` } },
    });
  return { url, path: '/graphql', body, check: expectText('"content":"All clear."') };
}

function expectText(wanted: string): (answer: string) => void {
  return (answer) => {
    if (!answer.includes(wanted)) throw new Error(`not the wanted answer: ${answer.slice(0, 500)}`);
  };
}

function bounded(text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new RangeError(`from 1 to ${most}, got ${text}`);
  return value;
}
