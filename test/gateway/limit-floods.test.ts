import { expect, test } from 'vitest';
import { apiKeyId, replicaId } from '../../src/core/ids.ts';
import { NothingDone, StoreUnavailable } from '../../src/core/unavailable.ts';
import type { ChatCall } from '../../src/gateway/gateway.ts';
import { makeLimitDesk } from '../../src/gateway/limit-desk.ts';
import type { CallerLimitsPort } from '../../src/ports/caller-limits.ts';
import { makeMemoryCallerLimits } from '../../src/store/memory/caller-limits.ts';
import { newUuid, SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { callerWith } from '../support/key-caller.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeDatabase } from '../support/store-database.ts';
import { PRICED } from './priced-registry.ts';

// Whoever does not stop at a limit costs the store little, and nobody else anything.

function callAs(limits: Parameters<typeof callerWith>[0], line = 'noisy'): ChatCall {
  const kit = makeGatewayKit({ registry: PRICED });
  return { ...kit.callOf({ prompt: 'hello', maxOutputTokens: 20 }), caller: callerWith(limits, line) };
}

/** A desk at a store that counts what it is asked, and answers only after a turn of the event loop. */
function makeDesk(changed: Partial<CallerLimitsPort> = {}) {
  const clock = makeFakeClock();
  const memory = { ...makeMemoryCallerLimits({ now: clock.now }), ...changed };
  const asked = { enter: 0, leave: 0, atOnce: 0, atOnceMost: 0 };
  const after = async <Result>(act: () => Promise<Result>) => {
    asked.atOnce += 1;
    asked.atOnceMost = Math.max(asked.atOnceMost, asked.atOnce);
    await quiet();
    return act().finally(() => {
      asked.atOnce -= 1;
    });
  };
  const store: CallerLimitsPort = {
    ...memory,
    enterCaller(entry) {
      asked.enter += 1;
      return after(() => memory.enterCaller(entry));
    },
    leaveCaller(leave) {
      asked.leave += 1;
      return after(() => memory.leaveCaller(leave));
    },
  };
  const desk = makeLimitDesk({ store, clock, log: SILENT_LOG });
  const enterAll = (count: number, call: ChatCall) =>
    Promise.all(Array.from({ length: count }, () => desk.enter({ ...call, requestId: newId() }, () => [])));
  return { desk, clock, asked, enterAll };
}

function newId(): ChatCall['requestId'] {
  return newUuid() as ChatCall['requestId'];
}

test('a used up limit of requests is told without the store, until the very moment of the retry', async () => {
  const { clock, asked, enterAll } = makeDesk();
  const call = callAs({ requestsPerMinute: 3 });
  const first = await enterAll(200, call);
  expect(first.filter(({ refused }) => refused === null)).toHaveLength(3);
  expect(asked.enter).toBeLessThanOrEqual(5);
  const asksOfFirst = asked.enter;
  clock.advance(20_000);
  const [told] = await enterAll(200, call);
  expect(asked.enter).toBe(asksOfFirst);
  const why = told!.refused!.why;
  if (why.kind !== 'rateLimited') throw new Error('it was not refused');
  expect(why.rateLimit).toEqual({ limit: 3, used: 3, freeAtMs: clock.now() + why.retryAfterMs! });
  clock.advance(why.retryAfterMs! - 1);
  expect((await enterAll(1, call))[0]!.refused).not.toBeNull();
  clock.advance(1);
  expect((await enterAll(1, call))[0]!.refused).toBeNull();
});

test.each([{ concurrency: 1 }, { tokensPerMinute: 22 }])(
  'of %j, which may be free again at any time, one answer is for all who came before it was asked for',
  async (limits) => {
    const { desk, asked, enterAll } = makeDesk();
    const call = callAs(limits);
    using held = await desk.enter({ ...call, requestId: newId() }, () => [{ tokens: 0 }]);
    const refused = await enterAll(300, call);
    expect(refused.every((entry) => entry.refused !== null)).toBe(true);
    expect(asked.enter).toBeLessThanOrEqual(5);
    expect(asked.atOnceMost).toBeLessThanOrEqual(2);
    held[Symbol.dispose]();
    await quiet();
    await quiet();
    expect((await enterAll(1, call))[0]!.refused).toBeNull();
  },
);

test('a line that waits for its turns holds up no other, and no more than 500 of it wait', async () => {
  const { asked, enterAll } = makeDesk();
  const crowd = enterAll(600, callAs({ requestsPerMinute: 1_000 }));
  const quietOne = enterAll(1, callAs({ requestsPerMinute: 1 }, 'quiet'));
  expect(asked.enter).toBe(3);
  expect((await quietOne)[0]!.refused).toBeNull();
  expect(asked.enter).toBeLessThan(20);
  const refused = (await crowd).filter((entry) => entry.refused !== null);
  expect(refused).toHaveLength(98);
  expect(refused[0]!.refused!.why).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000, isRetryable: true });
});

test('who waited a second for a turn is told to come again, so that a slow store gathers no queue', async () => {
  const slow = Promise.withResolvers<never>();
  const { asked, clock, enterAll } = makeDesk({ enterCaller: () => slow.promise });
  const waiting = Promise.allSettled(Array.from({ length: 50 }, () => enterAll(1, callAs({ requestsPerMinute: 9 }))));
  await quiet();
  clock.advance(1_001);
  slow.reject(new StoreUnavailable('late'));
  expect((await waiting).filter(({ status }) => status === 'fulfilled')).toHaveLength(48);
  expect(asked.enter).toBe(2);
});

test('who certainly never entered does not leave, and who may have does', async () => {
  const fails = [new NothingDone('away'), new StoreUnavailable('late')];
  const left = [0, 1];
  for (const [number, error] of fails.entries()) {
    const { asked, enterAll } = makeDesk({ enterCaller: () => Promise.reject(error) });
    await expect(enterAll(1, callAs({ concurrency: 1 }))).rejects.toThrow(StoreUnavailable);
    await quiet();
    expect(asked.leave).toBe(left[number]);
  }
});

test('on PostgreSQL a flood of one key leaves other keys, and looking keys up and revoking them, unharmed', async () => {
  await using database = await makeDatabase();
  const options = { registry: PRICED, log: SILENT_LOG, kind: 'postgres', timeoutMs: 1_000 } as const;
  await using store = await openTestStore({ ...options, url: database.url, replica: replicaId('one') });
  const desk = makeLimitDesk({ store, clock: SYSTEM_CLOCK, log: SILENT_LOG });
  let isOver = false;
  const flood = async (call: ChatCall) => {
    while (!isOver) {
      using _entry = await desk.enter({ ...call, requestId: newId() }, () => []);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const noisy = [callAs({ requestsPerMinute: 60 }), callAs({ concurrency: 1 }, 'crowded')].flatMap((call) =>
    Array.from({ length: 100 }, () => flood(call)),
  );
  const calm = callAs({ requestsPerMinute: 100, concurrency: 5 }, 'quiet');
  try {
    for (let number = 0; number < 12; number += 1) {
      await store.revokeKey(apiKeyId('none'), { name: 'tester', reason: null });
      await store.findKeysByHash([`hash-${number}`]);
      using entry = await desk.enter({ ...calm, requestId: newId() }, () => []);
      expect(entry.refused).toBeNull();
    }
  } finally {
    isOver = true;
    await Promise.all(noisy);
  }
});
