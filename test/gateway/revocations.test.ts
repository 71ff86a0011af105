import { expect, test } from 'vitest';
import { later } from '../../src/core/time.ts';
import { ADMIN_CALLER } from '../../src/gateway/caller.ts';
import { type GatewayKit, quiet } from '../support/gateway-kit.ts';
import { callsOf, holdFirst, KEYED, makeKit, moneyOf, passing } from './keyed-chats.ts';

const CANCELLED = { kind: 'ended', why: { code: 'CANCELLED' } };
const LIMITS = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };

async function makeKey({ gateway }: GatewayKit, expiresAtMs: Parameters<typeof later>[0] | null = null) {
  const wish = { name: 'test', scopes: ['chat'], userId: 'ann', teamId: null, expiresAtMs, limits: LIMITS };
  const made = await gateway.createKey(wish, ADMIN_CALLER);
  if (made.kind !== 'created') throw new RangeError(made.message);
  return made;
}

/** A call as a door makes it of whoever comes with a secret. */
async function callWith(kit: GatewayKit, secret: string) {
  const found = await kit.gateway.authenticate(secret);
  if (found.kind !== 'known') throw new RangeError(found.why);
  return { ...kit.callOf(KEYED), caller: found.caller };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function second(kit: GatewayKit) {
  kit.clock.advance(1_000);
  await quiet();
}

test('a chat with an idempotency key is stopped when its key is revoked, and told so to whoever asks again', async () => {
  await using kit = makeKit();
  const { key, secret } = await makeKey(kit);
  kit.provider('a').script({ kind: 'hang' });
  const call = await callWith(kit, secret);
  const outcome = kit.gateway.chat(call);
  await quiet();
  const { held } = await moneyOf(kit);
  await kit.gateway.revokeKey({ id: key.id }, ADMIN_CALLER);
  await second(kit);
  expect(await passing(kit, outcome)).toMatchObject(CANCELLED);
  expect(await moneyOf(kit)).toEqual({ posted: held, held: 0n });
  const { secret: next } = await makeKey(kit);
  expect(await kit.gateway.chat(await callWith(kit, next))).toMatchObject(CANCELLED);
  expect(callsOf(kit)).toBe(1);
});

test('a stream with an idempotency key is stopped when its key is revoked, and costs what was received', async () => {
  await using kit = makeKit();
  const { key, secret } = await makeKey(kit);
  const never = new Promise<string>(() => undefined);
  kit.provider('a').script({ kind: 'stream', pieces: ['Hel', never], after: { kind: 'hang' } });
  const { onDelta: _none, ...call } = await callWith(kit, secret);
  const pieces = all(kit.gateway.stream({ ...call, resumeAfter: null }));
  await quiet();
  await kit.gateway.revokeKey({ id: key.id }, ADMIN_CALLER);
  await second(kit);
  expect((await passing(kit, pieces)).at(-1)).toMatchObject({ event: { kind: 'ended', outcome: CANCELLED } });
  expect(await moneyOf(kit)).toEqual({ posted: 20_000_000n, held: 0n });
});

test('it runs to its end when its key expires, or when the overlap of a rotation is over', async () => {
  await using kit = makeKit();
  for (const way of ['expiry', 'overlap']) {
    const { key, secret } = await makeKey(kit, way === 'expiry' ? later(kit.clock.now(), 3_000) : null);
    if (way === 'overlap') await kit.gateway.rotateKey({ id: key.id, overlapMs: 3_000 }, ADMIN_CALLER);
    const go = holdFirst(kit, { kind: 'answer' });
    const call = await callWith(kit, secret);
    const outcome = kit.gateway.chat({ ...call, request: { ...call.request, idempotencyKey: way } });
    for (let seconds = 0; seconds < 5; seconds += 1) await second(kit);
    expect((await kit.gateway.authenticate(secret)).kind).toBe('refused');
    go();
    expect((await passing(kit, outcome)).kind, way).toBe('answered');
  }
});
