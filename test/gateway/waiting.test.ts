import { expect, test } from 'vitest';
import type { Wait } from '../../src/ports/fair-shares.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const REGISTRY = makeRegistry(makeProvider('only', [makeModel('only-1', '1')], { requestsPerMinute: 2 }));

function makeKit() {
  const clock = makeFakeClock();
  const memory = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  const notes: Wait[] = [];
  let isAway = false;
  const store = {
    ...memory,
    async noteWaiting(wait: Wait) {
      notes.push(wait);
      if (isAway) throw new Error('away');
      await memory.noteWaiting(wait);
    },
  };
  const kit = makeGatewayKit({ registry: REGISTRY, store, clock });
  const send = async (userId: string) => {
    const { kind } = await kit.chat({ prompt: 'hello', maxOutputTokens: 5, userId });
    await quiet();
    return kind;
  };
  const setAway = (away: boolean) => {
    isAway = away;
  };
  return { kit, notes, send, setAway };
}

test('who does not wait as told is noted once for each tenant, and again when the end has moved', async () => {
  const { kit, notes, send } = makeKit();
  await using _kit = kit;
  await send('ann');
  kit.clock.advance(2_000);
  await send('ann');
  for (let number = 0; number < 20; number += 1) expect(await send('bob')).toBe('ended');
  expect(notes).toHaveLength(1);
  await send('cleo');
  expect(notes.map(({ tenant }) => tenant)).toEqual(['user:bob', 'user:cleo']);
  kit.clock.advance(notes[0]!.at[0]!.untilMs - kit.clock.now());
  expect(await send('bob')).toBe('answered');
  for (let number = 0; number < 20; number += 1) expect(await send('bob')).toBe('ended');
  expect(notes).toHaveLength(3);
});

test('what could not be noted is noted the next time', async () => {
  const { kit, notes, send, setAway } = makeKit();
  await using _kit = kit;
  await send('ann');
  await send('ann');
  setAway(true);
  await send('bob');
  setAway(false);
  await send('bob');
  await send('bob');
  expect(notes).toHaveLength(2);
});

test('who is refused since the provider itself asked us to wait does not wait for a slot', async () => {
  const { kit, notes, send } = makeKit();
  await using _kit = kit;
  kit
    .provider('only')
    .script({ kind: 'fail', failure: { kind: 'throttled', billed: 'nothing', retryAfterMs: 30_000 } });
  await send('ann');
  expect(await send('bob')).toBe('ended');
  expect(notes).toEqual([]);
});
