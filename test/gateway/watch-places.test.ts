import { expect, test } from 'vitest';
import { apiKeyId } from '../../src/core/ids.ts';
import { ADMIN_CALLER, type Caller, OPEN_CALLER } from '../../src/gateway/caller.ts';
import { makeWatchPlaces } from '../../src/gateway/watch-places.ts';
import { KEY_A, KEY_B, makeKey } from '../fakes/credentials.ts';

const ROTATED: Caller = { kind: 'key', key: makeKey({ id: apiKeyId('cccccccccccc'), line: KEY_A }) };
const [A, B] = [KEY_A, KEY_B].map((id): Caller => ({ kind: 'key', key: makeKey({ id }) })) as [Caller, Caller];
const { signal } = new AbortController();

test('one line of keys fills a tenth of the places, however often its key was rotated; the rest is for others', () => {
  const places = makeWatchPlaces(20);
  const leave = places.take({ caller: A, signal }, () => {});
  places.take({ caller: ROTATED, signal }, () => {});
  for (const caller of [A, ROTATED])
    expect(places.refuse(caller)).toBe('this replica serves at most 2 watchers with one key at once');
  for (const caller of [B, ADMIN_CALLER, OPEN_CALLER]) expect(places.refuse(caller)).toBeNull();
  leave();
  leave();
  expect(places.refuse(ROTATED)).toBeNull();
  places.take({ caller: ROTATED, signal }, () => {});
  expect(places.refuse(A)).not.toBeNull();
});

test('without keys there is nobody to share with', () => {
  const places = makeWatchPlaces(20);
  for (let count = 0; count < 20; count += 1) {
    expect(places.refuse(OPEN_CALLER)).toBeNull();
    places.take({ caller: OPEN_CALLER, signal }, () => {});
  }
  expect(places.refuse(OPEN_CALLER)).toBe('this replica serves at most 20 watchers at once');
});
