import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { COMBINER, makeCombiner } from '../../src/store/postgres/combiner.ts';
import { quiet } from '../support/gateway-kit.ts';

interface Call {
  readonly items: readonly number[];
  answer(answers: readonly string[]): void;
  fail(error: Error): void;
}

/** A combiner whose calls end when the test says so. `calls` are all that were sent, in order. */
function makeHeldUp(itemsMax: number) {
  const calls: Call[] = [];
  const combiner = makeCombiner<number, string>({
    itemsMax,
    send(items) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      calls.push({ items, answer: resolve, fail: reject });
      return promise;
    },
    isUndone: () => false,
  });
  return { combiner, calls };
}

const answerOf = (item: number) => `answer ${item}`;

test('whatever comes when: one call at a time, first come first served, and to each its own answer or its own call’s failure', async () => {
  const step = fc.constantFrom('ask', 'ask', 'ask', 'turn', 'answer', 'fail');
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), async (itemsMax, steps) => {
      const { combiner, calls } = makeHeldUp(itemsMax);
      const told: Promise<string>[] = [];
      const expected: string[] = [];
      let ended = 0;
      const sent = () => calls.flatMap(({ items }) => items);
      const end = (isFailing: boolean) => {
        const call = calls[ended];
        if (call === undefined) return;
        ended += 1;
        if (isFailing) call.fail(new Error(`call ${ended}`));
        else call.answer(call.items.map(answerOf));
        for (const item of call.items) expected[item] = isFailing ? `call ${ended}` : answerOf(item);
      };
      const settle = async () => {
        const waiting = told.length - sent().length;
        const isFree = calls.length === ended;
        await quiet();
        // A call starts as soon as none is under way, and takes all that wait, as far as they fit.
        equal(calls.length, ended + (isFree && waiting === 0 ? 0 : 1));
        if (isFree && waiting > 0) equal(calls[ended]?.items.length, Math.min(waiting, itemsMax));
      };
      for (const what of steps) {
        if (what === 'ask') told.push(combiner.ask(told.length).catch((error: Error) => error.message));
        else if (what === 'turn') await settle();
        else end(what === 'fail');
      }
      while (sent().length < told.length || ended < calls.length) {
        await settle();
        end(false);
      }
      ok(calls.every(({ items }) => items.length <= itemsMax));
      deepEqual(sent(), [...told.keys()]);
      deepEqual(await Promise.all(told), expected);
    }),
    { numRuns: 300 },
  );
});

test('those who were answered together and ask again go together, with those who came meanwhile before them', async () => {
  const { combiner, calls } = makeHeldUp(100);
  const askTwice = async (item: number) => {
    await combiner.ask(item);
    await combiner.ask(item + 10);
  };
  const both = [askTwice(1), askTwice(2)];
  await quiet();
  const late = combiner.ask(3);
  calls[0]?.answer(['', '']);
  await quiet();
  expect(calls.map(({ items }) => items)).toEqual([
    [1, 2],
    [3, 11, 12],
  ]);
  calls[1]?.answer(['', '', '']);
  await Promise.all([...both, late]);
});

test('a call that cannot even be sent fails its own items only', async () => {
  let calls = 0;
  const combiner = makeCombiner<number, number>({
    itemsMax: 2,
    send(items) {
      calls += 1;
      if (calls === 1) throw new Error('not sent');
      return Promise.resolve(items);
    },
    isUndone: () => false,
  });
  expect(await Promise.allSettled([1, 2, 3].map((item) => combiner.ask(item)))).toMatchObject([
    { status: 'rejected', reason: { message: 'not sent' } },
    { status: 'rejected', reason: { message: 'not sent' } },
    { status: 'fulfilled', value: 3 },
  ]);
});

test('an answer too few or too many is given to nobody: it might be another’s', async () => {
  for (const answers of [['one'], ['one', 'two', 'three']]) {
    const { combiner, calls } = makeHeldUp(10);
    const told = Promise.allSettled([combiner.ask(1), combiner.ask(2)]);
    await quiet();
    calls[0]?.answer(answers);
    const reason = { message: `2 items were sent together, ${answers.length} answers came back` };
    expect(await told).toMatchObject([{ reason }, { reason }]);
  }
});

test('nothing is an answer too', async () => {
  const combiner = makeCombiner<number, void>({
    itemsMax: 10,
    send: async (items) => items.map(() => undefined),
    isUndone: () => false,
  });
  expect(await Promise.all([combiner.ask(1), combiner.ask(2)])).toEqual([undefined, undefined]);
});

test('when too many wait the next is told at once, unsent, and there is room again after a call', async () => {
  const { combiner, calls } = makeHeldUp(10);
  const told = Array.from({ length: COMBINER.waitingMax }, (_, item) => combiner.ask(item));
  await expect(combiner.ask(-1)).rejects.toThrow(StoreUnavailable);
  await quiet();
  const again = Array.from({ length: 10 }, () => combiner.ask(-2));
  await expect(combiner.ask(-1)).rejects.toThrow(StoreUnavailable);
  while (calls.flatMap(({ items }) => items).length < told.length + again.length) {
    calls.at(-1)?.answer(Array.from({ length: 10 }, () => ''));
    await quiet();
  }
  calls.at(-1)?.answer(Array.from({ length: 10 }, () => ''));
  await Promise.all([...told, ...again]);
  expect(calls.some(({ items }) => items.includes(-1))).toBe(false);
});

test('what nobody waits for any more at its turn is not sent, and takes nobody’s place', async () => {
  const { combiner, calls } = makeHeldUp(2);
  const first = combiner.ask(1);
  await quiet();
  let isWanted = true;
  const leaving = combiner.ask(2, () => isWanted);
  const others = [combiner.ask(3), combiner.ask(4)];
  isWanted = false;
  calls[0]?.answer(['one']);
  equal(await first, 'one');
  await expect(leaving).rejects.toBeInstanceOf(StoreUnavailable);
  deepEqual(calls[1]?.items, [3, 4]);
  calls[1]?.answer(['three', 'four']);
  deepEqual(await Promise.all(others), ['three', 'four']);
  const alone = combiner.ask(5, () => false);
  await expect(alone).rejects.toBeInstanceOf(StoreUnavailable);
  const next = combiner.ask(6);
  await quiet();
  calls[2]?.answer(['six']);
  equal(await next, 'six');
});

/** A combiner whose calls fail when a broken item is in them, as a statement does: nothing of them is done. */
function makeFragile(of: {
  readonly broken: ReadonlySet<number>;
  readonly onCall?: (items: readonly number[]) => void;
}) {
  const calls: (readonly number[])[] = [];
  const done: number[] = [];
  const combiner = makeCombiner<number, string>({
    itemsMax: 128,
    async send(items) {
      calls.push(items);
      of.onCall?.(items);
      const broken = items.find((item) => of.broken.has(item));
      if (broken !== undefined) throw new RangeError(`${broken} is broken`);
      done.push(...items);
      return items.map(answerOf);
    },
    isUndone: (error) => error instanceof RangeError,
  });
  return { combiner, calls, done };
}

test('whichever items are broken, each fails alone, and every other is done once and answered', async () => {
  const broken = fc.uniqueArray(fc.nat(39), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(broken, fc.integer({ min: 1, max: 40 }), async (numbers, count) => {
      const of = { broken: new Set(numbers) };
      const { combiner, done } = makeFragile(of);
      const items = [...Array(count).keys()];
      const told = await Promise.all(items.map((item) => combiner.ask(item).catch((error: Error) => error.message)));
      deepEqual(
        told,
        items.map((item) => (of.broken.has(item) ? `${item} is broken` : answerOf(item))),
      );
      deepEqual(
        done,
        items.filter((item) => !of.broken.has(item)),
      );
    }),
    { numRuns: 300 },
  );
});

test('one broken item among 128 is found in 15 calls', async () => {
  const { combiner, calls } = makeFragile({ broken: new Set([77]) });
  await Promise.allSettled([...Array(128).keys()].map((item) => combiner.ask(item)));
  expect(calls).toHaveLength(15);
});

test('what nobody waits for any more when its call has failed is not sent again', async () => {
  const left = new Set<number>();
  const { combiner, calls } = makeFragile({ broken: new Set([0]), onCall: () => left.add(0).add(1) });
  const told = await Promise.allSettled([0, 1, 2, 3].map((item) => combiner.ask(item, () => !left.has(item))));
  expect(calls).toEqual([
    [0, 1, 2, 3],
    [2, 3],
  ]);
  expect(told).toMatchObject([
    { reason: expect.any(StoreUnavailable) },
    { reason: expect.any(StoreUnavailable) },
    { value: 'answer 2' },
    { value: 'answer 3' },
  ]);
});

test('a failure that may have left something done is not tried again', async () => {
  let calls = 0;
  const combiner = makeCombiner<number, string>({
    itemsMax: 10,
    async send() {
      calls += 1;
      throw new TypeError('the answer cannot be read');
    },
    isUndone: (error) => error instanceof RangeError,
  });
  await Promise.allSettled([combiner.ask(1), combiner.ask(2)]);
  expect(calls).toBe(1);
});
