import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeOutbox } from '../../src/gateway/outbox.ts';
import { quiet } from '../support/gateway-kit.ts';

test('entries come out in order; what is dropped is the oldest, and every one is counted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(fc.boolean(), { maxLength: 60 }), async (most, steps) => {
      const outbox = makeOutbox<number>(most);
      let waiting: number[] = [];
      let lost = 0;
      for (const [place, isPut] of steps.entries()) {
        if (isPut) {
          outbox.put(place);
          lost += waiting.length === most ? 1 : 0;
          waiting = [...waiting, place].slice(-most);
        } else if (waiting.length > 0) {
          deepEqual(await outbox.take(), { item: waiting[0], dropped: lost });
          waiting = waiting.slice(1);
          lost = 0;
        }
      }
      ok(waiting.length <= most);
      outbox.close();
      equal(await outbox.take(), null);
    }),
    { numRuns: 2_000 },
  );
});

test('a reader waits while it is empty and wakes with the next entry', async () => {
  const outbox = makeOutbox<string>(4);
  const taking = outbox.take();
  await quiet();
  outbox.put('a');
  outbox.put('b');
  expect(await taking).toEqual({ item: 'a', dropped: 0 });
  expect(await outbox.take()).toEqual({ item: 'b', dropped: 0 });
});

test('closing ends a waiting reader, forgets what is queued, and refuses what comes later', async () => {
  const outbox = makeOutbox<string>(4);
  const taking = outbox.take();
  await quiet();
  outbox.close();
  expect(await taking).toBeNull();
  outbox.put('late');
  expect(await outbox.take()).toBeNull();
  const full = makeOutbox<string>(4);
  full.put('queued');
  full.close();
  expect(await full.take()).toBeNull();
});

test('what was lost on its way is told with the next entry, and is not forgotten when that one is dropped too', async () => {
  const outbox = makeOutbox<string>(2);
  outbox.put('first');
  outbox.miss(3);
  outbox.put('second');
  expect(await outbox.take()).toEqual({ item: 'first', dropped: 0 });
  outbox.put('third');
  outbox.put('fourth');
  expect(await outbox.take()).toEqual({ item: 'third', dropped: 4 });
  expect(await outbox.take()).toEqual({ item: 'fourth', dropped: 0 });
});
