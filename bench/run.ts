import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild } from './child.ts';
import { openLedger } from './ledger.ts';
import { type LoadResult, load, type Target } from './load.ts';
import { registryFor } from './registry.ts';
import { type OpenReader, printStreams, readStreams, streamTargets } from './streams.ts';
import { printTable } from './table.ts';

const USAGE = `Usage: npm run bench [-- --rounds N --seconds N --only chats|streams|ledger]

Measures, on loopback and in one run, each beside the least that can be done instead:
  chats    a chat on both stores, beside a bare proxy and a bare GraphQL resolver
  streams  tokens a second and the time to the first one, through each door, beside a proxy that passes bytes on
  ledger   what the books alone can do, beside a bare UPDATE of one row
The upstream answers at once. Rounds are interleaved and the median is shown. Trust the ratios, not the figures.`;

const LIMITS = { roundsMax: 20, secondsMax: 10, countMax: 9_000, warmUpMs: 1_000 } as const;
const CALLERS = [1, 64] as const;
const STREAMS = [1, 16, 128] as const;
const PARTS = ['chats', 'streams', 'ledger'] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else {
  const rounds = bounded(values.rounds, LIMITS.roundsMax);
  await bench({ rounds, seconds: bounded(values.seconds, LIMITS.secondsMax) }, partsOf(values.only));
}

interface Extent {
  readonly rounds: number;
  readonly seconds: number;
}

async function bench(extent: Extent, parts: readonly string[]): Promise<void> {
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
  if (parts.includes('chats')) {
    const chats = new Map([
      ['bare node:http proxy', proxyTarget(proxy.url)],
      ['bare GraphQL resolver', chatTarget(bare.url)],
      ['chat, memory', chatTarget(memory.url)],
      ['chat, journal and PostgreSQL 18', chatTarget(postgres.url)],
    ]);
    const loads = new Map(Array.from(chats, ([name, target]) => [name, (limits: Limits) => load(target, limits)]));
    for (const callers of CALLERS) printTable(callers, await loadAll(loads, callers, extent));
  }
  if (parts.includes('streams')) {
    const targets = streamTargets({ proxy: proxy.url, service: postgres.url });
    for (const streams of STREAMS) {
      const run = (open: OpenReader, forMs: number) => readStreams(open, { streams, forMs });
      printStreams(streams, await interleave(targets, run, { ...extent, what: `${streams} streams` }));
    }
  }
  if (parts.includes('ledger')) {
    const ledger = stack.use(await openLedger(join(folder, 'ledger')));
    const callers = Math.max(...CALLERS);
    printTable(callers, await loadAll(ledger.targets, callers, extent));
  }
}

type Limits = Parameters<typeof load>[1];
type Load = (limits: Limits) => Promise<LoadResult>;

function loadAll(targets: ReadonlyMap<string, Load>, callers: number, extent: Extent) {
  const run = (target: Load, forMs: number) => target({ callers, forMs, countMax: LIMITS.countMax });
  return interleave(targets, run, { ...extent, what: `${callers} callers` });
}

/** Measures all of them in turn, again and again, so that what disturbs the machine disturbs them alike. */
async function interleave<Target, Result>(
  targets: ReadonlyMap<string, Target>,
  run: (target: Target, forMs: number) => Promise<Result>,
  of: Extent & { readonly what: string },
): Promise<ReadonlyMap<string, readonly Result[]>> {
  const results = new Map<string, Result[]>([...targets.keys()].map((name) => [name, []]));
  for (const target of targets.values()) await run(target, LIMITS.warmUpMs);
  for (let round = 1; round <= of.rounds; round += 1) {
    console.error(`${of.what}: round ${round} of ${of.rounds}`);
    for (const [name, target] of targets) results.get(name)?.push(await run(target, of.seconds * 1000));
  }
  return results;
}

function partsOf(only: string | undefined): readonly string[] {
  if (only === undefined) return PARTS;
  const parts = only.split(',');
  const stranger = parts.find((part) => !PARTS.some((known) => known === part));
  if (stranger !== undefined) throw new RangeError(`--only takes ${PARTS.join(', ')}, not ${stranger}`);
  return parts;
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
