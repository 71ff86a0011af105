import { describe, expect, test } from 'vitest';
import type { Pace } from '../../src/core/tick.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { type Caller, OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { LiveTick, TickWatchAnswer } from '../../src/gateway/gateway.ts';
import { makeTickHub } from '../../src/gateway/tick-hub.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { configurationsOf } from '../fakes/configuration.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { read } from './reading.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')]), makeProvider('b', [makeModel('n', '1')]));
const PACE: Pace = { everyMs: 1_000, windowMs: 60_000 };
const WATCHERS_MAX = 1_000;

/** A hub on a memory store, which a test may bend. Times are told from the start of the clock. */
function makeHub(bend: (store: Store) => Partial<Store> = () => ({})) {
  const clock = makeFakeClock();
  const startMs = clock.now();
  const memory = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  let readings = 0;
  const counted: Store = {
    ...memory,
    analyse: (query) => {
      readings += 1;
      return memory.analyse(query);
    },
  };
  const store = { ...counted, ...bend(counted) };
  const hub = makeTickHub({ store, clock, log: SILENT_LOG, configurations: configurationsOf({ registry: REGISTRY }) });
  const watch = (pace: Partial<Pace> = {}, signal = new AbortController().signal, caller: Caller = OPEN_CALLER) =>
    hub.watch({ pace: { ...PACE, ...pace }, caller, signal });
  return {
    watch,
    clock,
    readings: () => readings,
    atOf: (tick: LiveTick) => tick.atMs - startMs,
    /** Moves the clock step by step, and lets everybody run after each. */
    async pass(ms: number, stepMs = 250) {
      for (let gone = 0; gone < ms; gone += stepMs) {
        clock.advance(stepMs);
        await quiet();
      }
    },
    [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
  };
}

function ticksOf(answer: TickWatchAnswer) {
  if (answer.kind !== 'watching') throw new RangeError(answer.message);
  return read(answer.ticks);
}

describe('a watcher of ticks', () => {
  test('has the first at once, and then one at every step of its pace, exactly', async () => {
    await using kit = makeHub();
    const reader = ticksOf(await kit.watch());
    const told = [await reader.next()];
    for (let step = 0; step < 5; step += 1) {
      const next = reader.next();
      await kit.pass(1_000);
      told.push(await next);
    }
    expect(told.map(kit.atOf)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  test('shares the reading with all others at the same pace, and is told what they are told', async () => {
    await using kit = makeHub();
    const readers = (await Promise.all(Array.from({ length: 50 }, () => kit.watch()))).map(ticksOf);
    const first = await Promise.all(readers.map((reader) => reader.next()));
    await kit.pass(1_000);
    const second = await Promise.all(readers.map((reader) => reader.next()));
    expect(new Set(first).size).toBe(1);
    expect(new Set(second).size).toBe(1);
    expect(kit.readings()).toBe(2);
  });

  test('that joins a running pace is told its newest tick at once, without a reading', async () => {
    await using kit = makeHub();
    const first = ticksOf(await kit.watch());
    await first.next();
    await kit.pass(1_500);
    const late = ticksOf(await kit.watch());
    expect(kit.atOf(await late.next())).toBe(1_000);
    expect(kit.readings()).toBe(2);
    await kit.pass(500);
    expect(kit.atOf(await late.next())).toBe(2_000);
  });

  test('that is slow finds the newest tick, not a queue of old ones', async () => {
    await using kit = makeHub();
    const slow = ticksOf(await kit.watch());
    await slow.next();
    await kit.pass(10_000);
    expect(kit.atOf(await slow.next())).toBe(10_000);
    await kit.pass(1_000);
    expect(kit.atOf(await slow.next())).toBe(11_000);
  });

  test('gets the end of its stream when it leaves, and the others go on', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const gone = ticksOf(await kit.watch({}, leaving.signal));
    const staying = ticksOf(await kit.watch());
    await Promise.all([gone.next(), staying.next()]);
    leaving.abort();
    await gone.end();
    await kit.pass(1_000);
    expect(kit.atOf(await staying.next())).toBe(1_000);
  });

  test('gets the end of its stream when the gateway closes', async () => {
    const kit = makeHub();
    const reader = ticksOf(await kit.watch());
    await reader.next();
    await kit[Symbol.asyncDispose]();
    await reader.end();
    expect(kit.clock.timerCount()).toBe(0);
  });
});

describe('a reading that takes long', () => {
  test('is the only one, and what it was too late for is left out: the pace stays', async () => {
    let slow = Promise.withResolvers<void>();
    let under = 0;
    let most = 0;
    await using kit = makeHub((store) => ({
      analyse: async (query) => {
        under += 1;
        most = Math.max(most, under);
        await slow.promise;
        under -= 1;
        return store.analyse(query);
      },
    }));
    slow.resolve();
    const reader = ticksOf(await kit.watch());
    const other = ticksOf(await kit.watch({ everyMs: 500 }));
    await Promise.all([reader.next(), other.next()]);
    slow = Promise.withResolvers();
    await kit.pass(3_250);
    slow.resolve();
    await kit.pass(750);
    // The steps in between are left out.
    expect(kit.atOf(await reader.next())).toBe(4_000);
    expect(kit.atOf(await other.next())).toBe(4_000);
    expect(most).toBe(1);
  });
});

describe('while the store is away', () => {
  function makeBrokenHub() {
    let isAway = true;
    const kit = makeHub((store) => ({
      analyse: async (query) => {
        if (isAway) throw new StoreUnavailable('gone');
        return store.analyse(query);
      },
    }));
    const setAway = (next: boolean) => {
      isAway = next;
    };
    return { ...kit, setAway };
  }

  test('whoever comes is told so, and nothing is left of it', async () => {
    await using kit = makeBrokenHub();
    const answers = await Promise.allSettled([kit.watch(), kit.watch()]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { reason: 'gone' } });
    }
    expect(kit.clock.timerCount()).toBe(0);
    kit.setAway(false);
    expect(kit.atOf(await ticksOf(await kit.watch()).next())).toBe(0);
  });

  test('whoever watches has no ticks, and has them again when it is back; whoever comes is not shown an old one', async () => {
    await using kit = makeBrokenHub();
    kit.setAway(false);
    const reader = ticksOf(await kit.watch());
    await reader.next();
    kit.setAway(true);
    await kit.pass(5_000);
    await expect(kit.watch()).rejects.toThrow(StoreUnavailable);
    kit.setAway(false);
    const next = reader.next();
    await kit.pass(1_000);
    expect(kit.atOf(await next)).toBe(6_000);
  });
});

describe('nothing is read', () => {
  test('while nobody watches, and no timer is left', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const reader = ticksOf(await kit.watch({}, leaving.signal));
    await reader.next();
    expect(kit.clock.timerCount()).toBe(1);
    leaving.abort();
    expect(kit.clock.timerCount()).toBe(0);
    await kit.pass(5_000);
    expect(kit.readings()).toBe(1);
  });

  test('for whoever had left before, and a reader who stops reading keeps no place', async () => {
    await using kit = makeHub();
    await ticksOf(await kit.watch({}, AbortSignal.abort())).end();
    expect(kit.readings()).toBe(0);
    for (let come = 0; come < WATCHERS_MAX + 1; come += 1) {
      const answer = await kit.watch();
      if (answer.kind !== 'watching') throw new RangeError(answer.message);
      for await (const _tick of answer.ticks) break;
    }
    expect(kit.clock.timerCount()).toBe(0);
  });
});

describe('there is a limit', () => {
  test('of watchers, also when all come at once, and whoever leaves makes room', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const come = Array.from({ length: WATCHERS_MAX + 50 }, () => kit.watch({}, leaving.signal));
    const kinds = (await Promise.all(come)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'watching')).toHaveLength(WATCHERS_MAX);
    expect(await kit.watch()).toMatchObject({ kind: 'tooManyWatchers', message: expect.stringContaining('1000') });
    leaving.abort();
    expect((await kit.watch()).kind).toBe('watching');
  });
});

describe('whoever takes what there is', () => {
  test('of paces leaves them to everybody: any two that are nearly alike share one', async () => {
    await using kit = makeHub();
    const come = Array.from({ length: 500 }, (_none, at) =>
      kit.watch({ everyMs: 60_000 - at, windowMs: 3_600_000 - at }),
    );
    await Promise.all(come);
    expect(kit.readings()).toBe(1);
    expect((await kit.watch()).kind).toBe('watching');
    expect((await kit.watch({ everyMs: 999, windowMs: 45_000 })).kind).toBe('watching');
    expect(kit.readings()).toBe(2);
  });
});

describe('a tick', () => {
  test('has what the log has of its window, the spending that goes on like that, and what is under way', async () => {
    await using kit = makeGatewayKit({ registry: REGISTRY });
    kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
    await kit.chat({ prompt: 'hello', routing: { only: ['a', 'b'] } });
    const release = Promise.withResolvers<void>();
    kit.provider('b').script({ kind: 'wait', until: release.promise, after: { kind: 'answer' } });
    const running = kit.chat({ prompt: 'hello', routing: { only: ['b'] } });
    await quiet();
    kit.clock.advance(10);
    const watch = { pace: PACE, caller: OPEN_CALLER, signal: new AbortController().signal };
    const reader = ticksOf(await kit.gateway.watchTicks(watch));
    const tick = await reader.next();
    const { cost } = tick.totals;
    expect(cost).toBeGreaterThan(0n);
    expect(tick).toMatchObject({
      totals: { requests: 1, succeeded: 1, rescued: 1, attempts: 2, attemptsFailed: 1 },
      providers: [
        { provider: 'a', metrics: { requests: 0, attempts: 1, attemptsFailed: 1 } },
        { provider: 'b', metrics: { requests: 1, attempts: 1, attemptsFailed: 0 } },
      ],
      burnPerHour: cost * 60n,
      inFlight: 1,
    });
    release.resolve();
    await running;
    kit.clock.advance(1_000);
    expect(await reader.next()).toMatchObject({ inFlight: 0, totals: { requests: 2 } });
    await quiet();
    kit.clock.advance(60_000);
    await quiet();
    kit.clock.advance(1_000);
    await quiet();
    expect(await reader.next()).toMatchObject({ totals: { requests: 0, cost: 0n }, burnPerHour: 0n });
  });

  test('shows how the providers stand by one look for all who ask, and by none when nobody does', async () => {
    let looks = 0;
    await using kit = makeHub((store) => ({
      survey: () => {
        looks += 1;
        return store.survey();
      },
    }));
    const readers = (await Promise.all([kit.watch(), kit.watch()])).map(ticksOf);
    const [one, other] = await Promise.all(readers.map((reader) => reader.next()));
    expect(looks).toBe(0);
    expect(await one?.survey()).toBe(await other?.survey());
    expect(looks).toBe(1);
  });
});
