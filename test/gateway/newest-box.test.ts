import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeNewestBox } from '../../src/gateway/newest-box.ts';
import { quiet } from '../support/gateway-kit.ts';

const KEYS_MAX = 4;

test('of each key one entry is kept, made of all that nobody took; of too many keys the oldest is forgotten', async () => {
  const step = fc.oneof(fc.nat(6), fc.constant(null));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const box = makeNewestBox<number, readonly number[]>(KEYS_MAX, (older, newer) => [...older, ...newer]);
      let waiting: readonly (readonly [key: number, entries: readonly number[]])[] = [];
      for (const [place, key] of steps.entries()) {
        if (key !== null) {
          box.put(key, [place]);
          const isKnown = waiting.some(([known]) => known === key);
          if (isKnown)
            waiting = waiting.map(([known, entries]) => [known, known === key ? [...entries, place] : entries]);
          else waiting = [...waiting.slice(waiting.length === KEYS_MAX ? 1 : 0), [key, [place]]];
        } else if (waiting.length > 0) {
          deepEqual(await box.take(), waiting[0]![1]);
          waiting = waiting.slice(1);
        }
      }
      box.close();
      equal(await box.take(), null);
    }),
    { numRuns: 2_000 },
  );
});

test('a reader waits while it is empty, and is let go when it is closed', async () => {
  const box = makeNewestBox<string, number>(KEYS_MAX, (_older, newer) => newer);
  const first = box.take();
  await quiet();
  box.put('a', 1);
  expect(await first).toBe(1);
  const last = box.take();
  await quiet();
  box.close();
  box.put('a', 2);
  expect(await last).toBeNull();
});
