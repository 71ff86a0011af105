import { expect, test } from 'vitest';
import { epochMs } from '../../../src/core/time.ts';
import { makeSlotBook, type SlotBook } from '../../../src/store/outage/slot-book.ts';
import { makeModel, makeProvider, makeRegistry } from '../../support/registries.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 100 }));
const A = REGISTRY.providers[0]!.key;

/** Asks for what the book wants, and gives it all of that. Answers how many it then has. */
function renew(book: SlotBook, free = 100): number {
  const { renew: kept, take } = book.wish(true);
  const taken = take.flatMap(({ provider, count }) =>
    Array.from({ length: count }, (_, place) => ({ provider, slot: 1_000 + place, freeAtMs: epochMs(0) })),
  );
  book.told({ slots: [...kept, ...taken], free: new Map([[A, free]]) });
  return book.left(A);
}

test('as many slots are reserved as were used lately, and fewer again when less is used', () => {
  const book = makeSlotBook(REGISTRY);
  expect(renew(book)).toBe(5);
  for (let count = 0; count < 20; count += 1) book.noteUse(A);
  expect(renew(book)).toBe(20);
  for (let round = 0; round < 3; round += 1) expect(renew(book)).toBe(20);
  expect(renew(book)).toBe(5);
});

test('a slot that was used while it was renewed does not come back', () => {
  const book = makeSlotBook(REGISTRY);
  renew(book);
  const { renew: kept } = book.wish(true);
  book.use(A);
  book.told({ slots: kept, free: new Map([[A, 100]]) });
  expect(book.left(A)).toBe(4);
});

test('while few are left for everybody, and while nothing is to be spent, none are kept', () => {
  const book = makeSlotBook(REGISTRY);
  renew(book, 9);
  expect(book.wish(true)).toMatchObject({ renew: [], take: [], giveBack: { length: 5 } });
  expect(book.isEmpty()).toBe(true);
  const idle = makeSlotBook(REGISTRY);
  renew(idle);
  expect(idle.wish(false)).toMatchObject({ renew: [], take: [], giveBack: { length: 5 } });
});

test('what is not reserved cannot be used', () => {
  expect(() => makeSlotBook(REGISTRY).use(A)).toThrow(RangeError);
});

test('slots of a provider that left the registry go back, and those of a new one are asked for', () => {
  const book = makeSlotBook(REGISTRY);
  renew(book);
  const next = makeRegistry(makeProvider('b', [makeModel('b-1', '1')], { requestsPerMinute: 100 }));
  book.adopt(next);
  expect(book.isEmpty()).toBe(false);
  expect(book.wish(true)).toMatchObject({ giveBack: { length: 5 }, take: [{ provider: 'b', count: 5 }] });
  expect(book.isEmpty()).toBe(true);
});
