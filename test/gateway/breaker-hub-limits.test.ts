import { describe, expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import { makeBreakerHub } from '../../src/gateway/breaker-hub.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { BreakerWatch } from '../../src/gateway/gateway.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { configurationsOf } from '../fakes/configuration.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { makeFakeMeters } from '../fakes/meters.ts';
import { quiet, REPLICA } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { heal, readerOf, sequenceOf, trip } from './breaker-watching.ts';

const A = providerKey('a');
const B = providerKey('b');
const LIMITLESS = { requestsPerMinute: 1_000_000 };
const REGISTRY = makeRegistry(
  makeProvider('a', [makeModel('m', '1')], LIMITLESS),
  makeProvider('b', [makeModel('n', '1')], LIMITLESS),
);

const BACKLOG_MAX = 256;
const WATCHERS_MAX = 1_000;

function watchFor(wish: Partial<BreakerWatch> = {}): BreakerWatch {
  const { signal } = new AbortController();
  return { provider: null, includeCurrent: false, after: null, caller: OPEN_CALLER, signal, ...wish };
}

/** A hub on a memory store, which a test may bend. */
function makeHub(bend: (store: Store) => Partial<Store> = () => ({})) {
  const clock = makeFakeClock();
  const memory = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  const store = { ...memory, ...bend(memory) };
  const hub = makeBreakerHub({
    store,
    clock,
    log: SILENT_LOG,
    meters: makeFakeMeters(),
    configurations: configurationsOf({ registry: REGISTRY }),
  });
  return { hub, store, clock, [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose]() };
}

/** `count` events of one provider; lets everybody run after each. */
async function happen(store: Store, provider: typeof A, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    const { providers } = await store.survey();
    const isClosed = providers.some(
      ({ state }) => state.provider === provider && state.breaker.circuit.kind === 'closed',
    );
    await (isClosed ? trip(store, provider) : heal(store, provider));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function upTo(newest: number, from = 1): readonly number[] {
  return Array.from({ length: newest - from + 1 }, (_, at) => from + at);
}

describe('a slow watcher', () => {
  test('loses the oldest events and is told how many; the others lose nothing', async () => {
    await using kit = makeHub();
    const slow = readerOf(await kit.hub.watch(watchFor()));
    const quick = readerOf(await kit.hub.watch(watchFor()));
    const quickTold = quick.take(300);
    await happen(kit.store, A, 300);
    const notices = await quickTold;
    expect(notices.map(sequenceOf)).toEqual(upTo(300));
    expect(notices.every(({ dropped }) => dropped === 0)).toBe(true);

    const late = await slow.take(BACKLOG_MAX);
    expect(late.map(sequenceOf)).toEqual(upTo(300, 300 - BACKLOG_MAX + 1));
    expect(late.map(({ dropped }) => dropped)).toEqual([300 - BACKLOG_MAX, ...Array(BACKLOG_MAX - 1).fill(0)]);
    await happen(kit.store, B, 1);
    expect(await slow.next()).toMatchObject({ dropped: 0, event: { sequence: 301 } });
  });

  test('of one provider loses nothing to the noise of another', async () => {
    await using kit = makeHub();
    const slow = readerOf(await kit.hub.watch(watchFor({ provider: B })));
    await happen(kit.store, B, 1);
    await happen(kit.store, A, 300);
    await happen(kit.store, B, 2);
    const told = await slow.take(1);
    expect(told.map(sequenceOf)).toEqual([1]);
    expect((await slow.next()).dropped).toBe(0);
  });

  test('of one provider is told exactly how many of its own events it missed', async () => {
    await using kit = makeHub();
    const slow = readerOf(await kit.hub.watch(watchFor({ provider: B })));
    await happen(kit.store, A, 10);
    await happen(kit.store, B, BACKLOG_MAX + 7);
    expect(await slow.next()).toMatchObject({ dropped: 7, event: { provider: 'b', sequence: 18 } });
  });

  test('that is behind can resume from the last event it was told, without a gap', async () => {
    await using kit = makeHub();
    const slow = readerOf(await kit.hub.watch(watchFor()));
    await happen(kit.store, A, 2);
    const last = sequenceOf(await slow.next());
    await happen(kit.store, B, 300);
    const again = readerOf(await kit.hub.watch(watchFor({ after: last })));
    expect((await again.take(301)).map(sequenceOf)).toEqual(upTo(302, 2));
  });
});

describe('the number of watchers', () => {
  test('is limited, also when all come at once, and whoever leaves makes room', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const answers = await Promise.all(
      Array.from({ length: WATCHERS_MAX + 50 }, () => kit.hub.watch(watchFor({ signal: leaving.signal }))),
    );
    const kinds = answers.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'watching')).toHaveLength(WATCHERS_MAX);
    expect(kinds.filter((kind) => kind === 'tooManyWatchers')).toHaveLength(50);
    leaving.abort();
    expect((await kit.hub.watch(watchFor())).kind).toBe('watching');
  });

  test('does not grow by watchers who leave before they read, or who had left before they came', async () => {
    await using kit = makeHub();
    for (let come = 0; come < 2 * WATCHERS_MAX + 2; come += 1) {
      const leaving = new AbortController();
      if (come % 2 === 0) leaving.abort();
      const answer = await kit.hub.watch(watchFor({ signal: leaving.signal }));
      leaving.abort();
      expect(answer.kind).toBe('watching');
    }
  });

  test('is not kept up by a reader who stops reading', async () => {
    await using kit = makeHub();
    for (let come = 0; come < WATCHERS_MAX + 1; come += 1) {
      const answer = await kit.hub.watch(watchFor({ includeCurrent: true }));
      if (answer.kind !== 'watching') throw new RangeError(answer.message);
      for await (const _notice of answer.notices) break;
    }
  });
});

describe('while nobody watches', () => {
  test('nothing is polled for, and no timer is left', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const reader = readerOf(await kit.hub.watch(watchFor({ signal: leaving.signal })));
    await quiet();
    expect(kit.clock.timerCount()).toBe(1);
    leaving.abort();
    await reader.end();
    kit.clock.advance(1_000);
    await quiet();
    expect(kit.clock.timerCount()).toBe(0);
  });

  test('events happen all the same, and the next watcher begins after them', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const first = readerOf(await kit.hub.watch(watchFor({ signal: leaving.signal })));
    await happen(kit.store, A, 1);
    await first.next();
    leaving.abort();
    await happen(kit.store, A, 3);
    const second = readerOf(await kit.hub.watch(watchFor()));
    await happen(kit.store, A, 1);
    expect(sequenceOf(await second.next())).toBe(5);
  });
});

describe('when the store stumbles', () => {
  test('a hint that is lost costs a second, not an event', async () => {
    await using kit = makeHub(() => ({ onHint: () => ({ [Symbol.dispose]: () => undefined }) }));
    const reader = readerOf(await kit.hub.watch(watchFor()));
    await quiet();
    const next = reader.next();
    await trip(kit.store, A);
    kit.clock.advance(1_000);
    expect(sequenceOf(await next)).toBe(1);
  });

  test('a read that fails is tried again, and nothing is told twice', async () => {
    let faults = 3;
    await using kit = makeHub((store) => ({
      tail: async (after, countMax) => {
        if (faults > 0) {
          faults -= 1;
          throw new Error('the store does not answer');
        }
        return store.tail(after, countMax);
      },
    }));
    const reader = readerOf(await kit.hub.watch(watchFor()));
    const told = reader.take(2);
    await trip(kit.store, A);
    await heal(kit.store, A);
    for (let second = 0; second < 5; second += 1) {
      await quiet();
      kit.clock.advance(1_000);
    }
    expect((await told).map(sequenceOf)).toEqual([1, 2]);
  });

  test('events that are no longer kept cannot be resumed after', async () => {
    await using kit = makeHub(() => ({ range: async () => ({ oldest: 5, newest: 9 }) }));
    const kindOf = async (after: number) => (await kit.hub.watch(watchFor({ after }))).kind;
    expect(await Promise.all([3, 4, 9, 10].map(kindOf))).toEqual([
      'unknownAfter',
      'watching',
      'watching',
      'unknownAfter',
    ]);
  });

  test('a watcher who joins by an old reading of the history, while the last one leaves, misses nothing', async () => {
    // The newcomer's reading says 1; before it arrives, the hub has passed 2 and 3 on to a watcher who then leaves.
    let slowRange: Promise<void> | null = null;
    await using kit = makeHub((store) => ({
      range: async () => {
        const answer = await store.range();
        await slowRange;
        return answer;
      },
      tail: async (after, countMax) => {
        const events = await store.tail(after, countMax);
        await slowTail;
        return events;
      },
    }));
    let slowTail: Promise<void> | null = null;
    const leaving = new AbortController();
    const first = readerOf(await kit.hub.watch(watchFor({ signal: leaving.signal })));
    await happen(kit.store, A, 1);
    await first.next();
    const range = Promise.withResolvers<void>();
    slowRange = range.promise;
    const joining = kit.hub.watch(watchFor());
    await quiet();
    await happen(kit.store, A, 2);
    await first.take(2);
    const tail = Promise.withResolvers<void>();
    slowTail = tail.promise;
    await happen(kit.store, A, 1);
    leaving.abort();
    await first.end();
    range.resolve();
    const reader = readerOf(await joining);
    slowTail = null;
    tail.resolve();
    expect((await reader.take(3)).map(sequenceOf)).toEqual([2, 3, 4]);
  });
});
