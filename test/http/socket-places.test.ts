import { expect, test } from 'vitest';
import { ADMIN_CALLER, OPEN_CALLER } from '../../src/gateway/caller.ts';
import { makeSocketPlaces, UNPROVEN_MAX } from '../../src/http/socket-places.ts';
import { KEY_A, makeKey } from '../fakes/credentials.ts';

const KEY = { kind: 'key', key: makeKey({ id: KEY_A }) } as const;

test('who says nothing of themselves cannot keep out who does: the one that waited longest makes room', () => {
  const places = makeSocketPlaces<number>(10);
  for (let socket = 0; socket < UNPROVEN_MAX; socket += 1) expect(places.enter(socket)).toBeNull();
  expect(places.enter(UNPROVEN_MAX)).toBe(0);
  expect(places.prove(1, KEY)).toBe(true);
  expect(places.enter(UNPROVEN_MAX + 1)).toBeNull();
  places.leave(2);
  expect(places.enter(UNPROVEN_MAX + 2)).toBeNull();
  expect(places.enter(UNPROVEN_MAX + 3)).toBe(3);
});

test('a line has its places back when connections close, each once, and the operator has a line too', () => {
  const places = makeSocketPlaces<string>(1);
  for (const caller of [KEY, ADMIN_CALLER]) {
    expect(places.prove(`first of ${caller.kind}`, caller)).toBe(true);
    expect(places.prove(`second of ${caller.kind}`, caller)).toBe(false);
    places.leave(`second of ${caller.kind}`);
    expect(places.prove(`third of ${caller.kind}`, caller)).toBe(false);
    places.leave(`first of ${caller.kind}`);
    places.leave(`first of ${caller.kind}`);
    expect(places.prove(`third of ${caller.kind}`, caller)).toBe(true);
  }
  for (const socket of ['one', 'another']) expect(places.prove(socket, OPEN_CALLER)).toBe(true);
});
