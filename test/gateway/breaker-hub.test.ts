import { describe, expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { BreakerWatch } from '../../src/gateway/gateway.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { type GatewayKit, makeGatewayKit, REPLICA } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';
import { heal, readerOf, sequenceOf, trip } from './breaker-watching.ts';

const A = providerKey('a');
const B = providerKey('b');
const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')]), makeProvider('b', [makeModel('n', '1')]));

function watchFor(wish: Partial<BreakerWatch> = {}): BreakerWatch {
  const { signal } = new AbortController();
  return { provider: null, includeCurrent: false, after: null, caller: OPEN_CALLER, signal, ...wish };
}

/** A gateway whose clock stands still: what arrives was pushed, not polled for. */
async function makeKit(kind: 'memory' | 'postgres'): Promise<GatewayKit> {
  if (kind === 'memory') return makeGatewayKit({ registry: REGISTRY });
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const options = { kind, url, registry: REGISTRY, replica: REPLICA, log: SILENT_LOG };
  const store = opened.use(await openTestStore(options));
  const kit = opened.use(makeGatewayKit({ registry: REGISTRY, store }));
  const kept = opened.move();
  return { ...kit, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

describe.each(['memory', 'postgres'] as const)('on %s, a watcher', (kind) => {
  test('is told the present states first, then every change of every provider in order, as it happens', async () => {
    await using kit = await makeKit(kind);
    await trip(kit.store, B);
    const reader = readerOf(await kit.gateway.watchBreakers(watchFor({ includeCurrent: true })));
    const present = await reader.take(2);
    expect(present).toMatchObject([
      { kind: 'present', sequence: 1, dropped: 0, state: { provider: 'a', breaker: { circuit: { kind: 'closed' } } } },
      { kind: 'present', sequence: 1, dropped: 0, state: { provider: 'b', breaker: { circuit: { kind: 'open' } } } },
    ]);
    await trip(kit.store, A);
    await heal(kit.store, B);
    await heal(kit.store, A);
    expect(await reader.take(3)).toMatchObject([
      {
        kind: 'changed',
        dropped: 0,
        event: { sequence: 2, provider: 'a', transition: { from: 'closed', to: 'open' } },
      },
      {
        kind: 'changed',
        dropped: 0,
        event: { sequence: 3, provider: 'b', transition: { from: 'open', to: 'closed' } },
      },
      { kind: 'changed', dropped: 0, event: { sequence: 4, provider: 'a', transition: { cause: 'manualReset' } } },
    ]);
  });

  test('that resumes after any event is told every later one exactly once, also what happens meanwhile', async () => {
    await using kit = await makeKit(kind);
    for (let round = 0; round < 3; round += 1) {
      await trip(kit.store, A);
      await heal(kit.store, A);
    }
    const newest = 10;
    const cuts = Array.from({ length: 7 }, (_, cut) => cut);
    const joined = cuts.map((after) => kit.gateway.watchBreakers(watchFor({ after })));
    await trip(kit.store, B);
    const readers = (await Promise.all(joined)).map(readerOf);
    const told = readers.map((reader, cut) => reader.take(newest - cut));
    await heal(kit.store, B);
    await trip(kit.store, A);
    await heal(kit.store, A);
    for (const [cut, notices] of (await Promise.all(told)).entries()) {
      expect(notices.map(sequenceOf)).toEqual(Array.from({ length: newest - cut }, (_, at) => cut + at + 1));
    }
  });

  test('is not told again of a change that a present state holds already', async () => {
    await using kit = await makeKit(kind);
    const reader = readerOf(await kit.gateway.watchBreakers(watchFor({ includeCurrent: true })));
    await trip(kit.store, A);
    expect(await reader.take(2)).toMatchObject([
      { kind: 'present', sequence: 0, state: { provider: 'a', breaker: { epoch: 1, circuit: { kind: 'open' } } } },
      { kind: 'present', sequence: 0, state: { provider: 'b', breaker: { epoch: 0 } } },
    ]);
    await trip(kit.store, B);
    expect(await reader.next()).toMatchObject({ kind: 'changed', event: { provider: 'b', sequence: 2 } });
  });

  test('may resume where the present states left off, and misses nothing', async () => {
    await using kit = await makeKit(kind);
    await trip(kit.store, A);
    const leaving = new AbortController();
    const first = readerOf(await kit.gateway.watchBreakers(watchFor({ includeCurrent: true, signal: leaving.signal })));
    const [present] = await first.take(2);
    leaving.abort();
    await heal(kit.store, A);
    await trip(kit.store, B);
    const second = readerOf(await kit.gateway.watchBreakers(watchFor({ after: sequenceOf(present!) })));
    expect((await second.take(2)).map(sequenceOf)).toEqual([2, 3]);
  });

  test('of one provider is told of that one only', async () => {
    await using kit = await makeKit(kind);
    await trip(kit.store, A);
    const reader = readerOf(await kit.gateway.watchBreakers(watchFor({ provider: B, includeCurrent: true })));
    const replay = readerOf(await kit.gateway.watchBreakers(watchFor({ provider: B, after: 0 })));
    expect(await reader.next()).toMatchObject({ kind: 'present', state: { provider: 'b' } });
    await heal(kit.store, A);
    await trip(kit.store, B);
    for (const either of [reader, replay]) {
      expect(await either.next()).toMatchObject({ kind: 'changed', event: { provider: 'b', sequence: 3 } });
    }
  });

  test('that names an event nobody has recorded is told which there are', async () => {
    await using kit = await makeKit(kind);
    const early = await kit.gateway.watchBreakers(watchFor({ after: 1 }));
    expect(early).toMatchObject({ kind: 'unknownAfter' });
    expect(early.kind === 'unknownAfter' && early.message).toContain('there are no events yet');
    await trip(kit.store, A);
    const answers = await Promise.all([-1, 2].map((after) => kit.gateway.watchBreakers(watchFor({ after }))));
    expect(answers.map((answer) => answer.kind)).toEqual(['unknownAfter', 'unknownAfter']);
    const [late] = answers;
    expect(late?.kind === 'unknownAfter' && late.message).toContain('events 1 to 1 are kept');
  });

  test('that leaves gets the end of its stream, and the others go on', async () => {
    await using kit = await makeKit(kind);
    const leaving = new AbortController();
    const gone = readerOf(await kit.gateway.watchBreakers(watchFor({ signal: leaving.signal })));
    const staying = readerOf(await kit.gateway.watchBreakers(watchFor()));
    const end = gone.end();
    leaving.abort();
    await end;
    await trip(kit.store, A);
    expect(sequenceOf(await staying.next())).toBe(1);
  });

  test('gets the end of its stream when the gateway closes', async () => {
    const kit = await makeKit(kind);
    const reader = readerOf(await kit.gateway.watchBreakers(watchFor()));
    const end = reader.end();
    await kit[Symbol.asyncDispose]();
    await end;
  });
});

test('a chat that opens a breaker is seen by a watcher on another gateway of the same database', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const open = async () => {
    const options = { kind: 'postgres', url, registry: REGISTRY, replica: REPLICA, log: SILENT_LOG } as const;
    return opened.use(makeGatewayKit({ registry: REGISTRY, store: opened.use(await openTestStore(options)) }));
  };
  const [here, there] = [await open(), await open()];
  const reader = readerOf(await there.gateway.watchBreakers(watchFor()));
  here.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
  for (let sent = 0; sent < 3; sent += 1) await here.chat({ prompt: 'hello', routing: { only: ['a'] } });
  expect(await reader.next()).toMatchObject({ kind: 'changed', event: { provider: 'a', transition: { to: 'open' } } });
});
