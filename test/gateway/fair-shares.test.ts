import { expect, test } from 'vitest';
import { makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const REGISTRY = makeRegistry(makeProvider('only', [makeModel('only-1', '1')], { requestsPerMinute: 4 }));

function makeKit() {
  const kit = makeGatewayKit({ registry: REGISTRY });
  const send = async (userId: string) => {
    const outcome = await kit.chat({ prompt: 'hello', maxOutputTokens: 5, userId });
    await quiet();
    return outcome;
  };
  /** How many of so many chats of a user are answered. */
  const served = async (userId: string, count: number) => {
    let answered = 0;
    for (let number = 0; number < count; number += 1) if ((await send(userId)).kind === 'answered') answered += 1;
    return answered;
  };
  return { kit, send, served };
}

async function refusedFor(outcome: Awaited<ReturnType<ReturnType<typeof makeKit>['send']>>) {
  if (outcome.kind !== 'ended' || outcome.why.kind !== 'rateLimited') throw new Error('it was not refused');
  return outcome.why.retryAfterMs!;
}

test('a tenant that had all of a rolling limit leaves half of it to one that waits, and has the rest', async () => {
  const { kit, send, served } = makeKit();
  await using _kit = kit;
  expect(await served('loud', 6)).toBe(4);
  const waitMs = await refusedFor(await send('quiet'));
  // Whoever was there first comes first again, at the very moment.
  kit.clock.advance(waitMs);
  expect(await served('loud', 6)).toBe(2);
  expect(await served('quiet', 3)).toBe(2);
});

test('what nobody waits for any more is taken: 5 s after the waiting one was told to come back', async () => {
  const { kit, send, served } = makeKit();
  await using _kit = kit;
  await served('loud', 4);
  const waitMs = await refusedFor(await send('quiet'));
  kit.clock.advance(waitMs);
  expect(await served('loud', 3)).toBe(2);
  const heldMs = await refusedFor(await send('loud'));
  expect(heldMs).toBe(5_000);
  kit.clock.advance(heldMs - 1);
  expect(await served('loud', 1)).toBe(0);
  kit.clock.advance(1);
  expect(await served('loud', 3)).toBe(2);
});

test('while nobody waits, one tenant has all of it', async () => {
  const { kit, served } = makeKit();
  await using _kit = kit;
  for (let minute = 0; minute < 3; minute += 1) {
    expect(await served('loud', 6)).toBe(4);
    kit.clock.advance(61_000);
  }
});
