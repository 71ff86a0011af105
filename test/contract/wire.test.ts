import { describe, expect, test } from 'vitest';
import { replicaId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { WIRE_TEXT_BYTES_MAX } from '../../src/core/wire.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeEars } from '../../src/store/postgres/ears.ts';
import { connectTo } from '../../src/store/postgres/lane.ts';
import { makeLateStore } from '../../src/wiring/late-store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeListeningLog, SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { quiet } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { SEED_REGISTRY } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';
import { openWay } from '../support/way.ts';

async function openReplicas(opened: AsyncDisposableStack) {
  const { url } = opened.use(await makeDatabase());
  return [opened.use(await openOn(url, 'first')), opened.use(await openOn(url, 'second'))] as const;
}

function openInMemory(name: string): Store {
  return makeMemoryStore({ registry: SEED_REGISTRY, replica: replicaId(name), now: () => epochMs(0) });
}

function openOn(url: string, name: string) {
  return openTestStore({ kind: 'postgres', url, registry: SEED_REGISTRY, replica: replicaId(name), log: SILENT_LOG });
}

/** Everything that a store hears on a topic, as `from: text`. */
function heardBy(store: Store, topic: string): string[] {
  const heard: string[] = [];
  store.onMessage(topic, (text, from) => heard.push(`${from}: ${text}`));
  return heard;
}

/** Says a word again and again until it is heard: nobody knows from when on another replica listens. */
async function untilHeard(from: Store, heard: readonly string[], word: string): Promise<void> {
  await eventually(() => {
    from.publish('news', word);
    return heard.some((line) => line.endsWith(word));
  });
}

describe.each(['memory', 'postgres'] as const)('the wire of the store %s', (kind) => {
  test('says nothing back to who said it, and refuses what is too long', async () => {
    await using opened = new AsyncDisposableStack();
    const [first, second] =
      kind === 'memory' ? [openInMemory('first'), openInMemory('second')] : await openReplicas(opened);
    const echo = heardBy(first, 'news');
    const heard = heardBy(second, 'news');
    const longest = 'é'.repeat(WIRE_TEXT_BYTES_MAX / 2);
    if (kind === 'postgres') await untilHeard(first, heard, longest);
    else first.publish('news', longest);
    expect(echo).toEqual([]);
    expect(() => first.publish('news', `${longest}é`)).toThrow(`at most ${WIRE_TEXT_BYTES_MAX} bytes`);
    expect(() => first.publish('two\nlines', '')).toThrow('one line');
  });
});

test('messages reach the other replicas in their order, word for word, and only those who listen to their topic', async () => {
  await using opened = new AsyncDisposableStack();
  const [first, second] = await openReplicas(opened);
  const heard = heardBy(second, 'news');
  const other = heardBy(second, 'gossip');
  await untilHeard(first, heard, 'begin');
  const said = Array.from({ length: 50 }, (_, number) => `${number}\n{"line": "${number}"}`);
  for (const text of said) first.publish('news', text);
  await eventually(() => heard.includes(`first: ${said.at(-1)}`));
  expect(heard.filter((line) => line !== 'first: begin')).toEqual(said.map((text) => `first: ${text}`));
  expect(other).toEqual([]);
});

test('who stopped listening hears nothing more', async () => {
  await using opened = new AsyncDisposableStack();
  const [first, second] = await openReplicas(opened);
  const gone: string[] = [];
  second.onMessage('news', (text) => gone.push(text))[Symbol.dispose]();
  const heard = heardBy(second, 'news');
  await untilHeard(first, heard, 'a word');
  expect(gone).toEqual([]);
});

test('while PostgreSQL is away nothing is heard and nothing thrown; when it is back, messages are', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const way = opened.use(await openWay(url));
  const first = opened.use(await openOn(way.url, 'first'));
  const second = opened.use(await openOn(way.url, 'second'));
  const heard = heardBy(second, 'news');
  await untilHeard(first, heard, 'before');
  await way.cut();
  await eventually(() => {
    first.publish('news', 'meanwhile');
    return first.absence() !== null;
  });
  await way.mend();
  await untilHeard(first, heard, 'after');
  expect(heard.filter((line) => line.includes('meanwhile'))).toEqual([]);
});

test('a listener that throws keeps nothing from the others, nor from itself, and is logged', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const first = opened.use(await openOn(url, 'first'));
  const { log, lines } = makeListeningLog();
  const second = opened.use(
    await openTestStore({ kind: 'postgres', url, registry: SEED_REGISTRY, replica: replicaId('second'), log }),
  );
  const broken: string[] = [];
  second.onMessage('news', (text) => {
    broken.push(text);
    throw new RangeError(`cannot bear ${text}`);
  });
  const heard = heardBy(second, 'news');
  await untilHeard(first, heard, 'a word');
  await untilHeard(first, heard, 'another');
  expect(heard.length).toBe(broken.length);
  expect(lines.filter(({ level, fields }) => level === 'warn' && fields.topic === 'news')).toHaveLength(broken.length);
});

test('a replica whose connection carries nothing any more, and breaks never, hears the others again after seconds', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const way = opened.use(await openWay(url));
  const clock = makeFakeClock();
  const first = opened.use(await openOn(url, 'first'));
  const second = opened.use(
    await openTestStore({
      kind: 'postgres',
      url: way.url,
      registry: SEED_REGISTRY,
      replica: replicaId('second'),
      log: SILENT_LOG,
      clock,
      timeoutMs: 2_000,
    }),
  );
  const heard = heardBy(second, 'news');
  let hints = 0;
  second.onHint(() => {
    hints += 1;
  });
  await untilHeard(first, heard, 'before');
  way.freeze();
  const [frozenAtMs, hintsBefore] = [clock.elapsedMs(), hints];
  await eventually(() => {
    clock.advance(100);
    first.publish('news', 'after');
    return heard.includes('first: after') && hints > hintsBefore;
  });
  expect(clock.elapsedMs() - frozenAtMs).toBeLessThan(20_000);
});

test('nothing is said to a PostgreSQL that nobody listens to, and little while somebody does', async () => {
  await using opened = new AsyncDisposableStack();
  const clock = makeFakeClock();
  let said = 0;
  const { url } = opened.use(await makeDatabase());
  const ears = opened.use(
    makeEars({
      replica: replicaId('ears'),
      clock,
      log: SILENT_LOG,
      open: () => connectTo(url, { connectionsMax: 1, limitMs: 10_000 }),
      say: async () => {
        said += 1;
        throw new StoreUnavailable('the test says so');
      },
    }),
  );
  const pass = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 1_000) {
      clock.advance(1_000);
      await quiet();
    }
  };
  await pass(60_000);
  expect(said).toBe(0);
  ears.hear('news', () => undefined);
  await pass(60_000);
  expect(said).toBeGreaterThan(10);
  expect(said).toBeLessThanOrEqual(20);
});

test('who listens before the store is there hears what is said from its arrival on', async () => {
  await using opened = new AsyncDisposableStack();
  const [first, second] = await openReplicas(opened);
  const late = makeLateStore({ kind: 'postgres', sinceMs: 0, why: () => 'not yet' });
  const heard = heardBy(late, 'news');
  late.publish('news', 'lost');
  late.arrive(second);
  await untilHeard(first, heard, 'here');
});
