import { expect, onTestFinished, test } from 'vitest';
import { makeKeyText } from '../../src/core/key-text.ts';
import { later } from '../../src/core/time.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { ADMIN_CALLER } from '../../src/gateway/caller.ts';
import { KEY_CACHE } from '../../src/gateway/key-cache.ts';
import type { KeyWish } from '../../src/gateway/key-directory.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { randomBytes } from '../../src/wiring/system.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { SEED_REGISTRY } from '../support/registries.ts';

const ADMIN_KEY = 'an operator knows this';
const NO_LIMITS = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };

/** A replica whose store counts what it is asked for, and can be away.  */
function makeReplica() {
  const asked = { lookups: 0, hashes: 0, touched: [] as string[], isAway: false };
  const clock = makeFakeClock();
  const memory = makeMemoryStore({ registry: SEED_REGISTRY, replica: REPLICA, now: clock.now });
  const present = () => {
    if (asked.isAway) throw new StoreUnavailable('away');
  };
  const store: Store = {
    ...memory,
    absence: () => (asked.isAway ? { sinceMs: 0, why: 'away' } : null),
    async findKeysByHash(hashes) {
      asked.lookups += 1;
      asked.hashes += hashes.length;
      present();
      return memory.findKeysByHash(hashes);
    },
    async endedKeys(withinMs) {
      present();
      return memory.endedKeys(withinMs);
    },
    async touchKeys(ids) {
      present();
      asked.touched.push(...ids);
      return memory.touchKeys(ids);
    },
  };
  const kit = makeGatewayKit({ registry: SEED_REGISTRY, store, clock, adminKey: ADMIN_KEY });
  onTestFinished(() => kit[Symbol.asyncDispose]());
  const { gateway } = kit;
  const create = async (over: Partial<KeyWish> = {}) => {
    const wish = { name: 'test', scopes: ['chat'], userId: null, teamId: null, expiresAtMs: null, limits: NO_LIMITS };
    const made = await gateway.createKey({ ...wish, ...over }, ADMIN_CALLER);
    if (made.kind !== 'created') throw new RangeError(made.message);
    return made;
  };
  const advance = async (ms: number) => {
    clock.advance(ms);
    await quiet();
  };
  return { gateway, clock, memory, asked, create, advance };
}

function wrongKey(): string {
  return makeKeyText({ id: randomBytes(16), secret: randomBytes(32) }).text;
}

test("the operator's own key opens everything, also while the store is away", async () => {
  const { gateway, asked } = makeReplica();
  asked.isAway = true;
  expect(await gateway.authenticate(ADMIN_KEY)).toEqual({ kind: 'known', caller: { kind: 'admin' } });
  expect(await gateway.authenticate(`${ADMIN_KEY} `)).toEqual({ kind: 'refused', why: 'malformed' });
  expect(asked.lookups).toBe(0);
});

test('a key is known by its whole text and by nothing less', async () => {
  const { gateway, create } = makeReplica();
  const { key, secret } = await create();
  expect(await gateway.authenticate(secret)).toEqual({ kind: 'known', caller: { kind: 'key', key } });
  expect(await gateway.authenticate(wrongKey())).toEqual({ kind: 'refused', why: 'unknown' });
  for (const text of ['', key.id, key.prefix, secret.slice(0, -1), `${secret}0`, ` ${secret}`]) {
    expect(await gateway.authenticate(text)).toEqual({ kind: 'refused', why: 'malformed' });
  }
});

test('a key in use is looked up every two seconds, a wrong one once a second, and a malformed one never', async () => {
  const { gateway, asked, create, advance } = makeReplica();
  const { secret } = await create();
  const wrong = wrongKey();
  for (let tenth = 0; tenth < 40; tenth += 1) {
    await Promise.all([gateway.authenticate(secret), gateway.authenticate('sy_nonsense')]);
    await advance(100);
  }
  expect(asked.hashes).toBe(2);
  for (let tenth = 0; tenth < 40; tenth += 1) {
    await gateway.authenticate(wrong);
    await advance(100);
  }
  expect(asked.hashes).toBe(2 + 4);
});

test('1,000 wrong keys at once cost five look-ups, and a right one among them is found', async () => {
  const { gateway, asked, create } = makeReplica();
  const { secret } = await create();
  const wrong = Array.from({ length: 1_000 }, wrongKey);
  const answers = await Promise.all([...wrong, secret].map((text) => gateway.authenticate(text)));
  expect(answers.filter(({ kind }) => kind === 'refused')).toHaveLength(1_000);
  expect(answers.at(-1)?.kind).toBe('known');
  expect(asked.lookups).toBeLessThanOrEqual(1 + Math.ceil(1_000 / KEY_CACHE.batchMax));
  await Promise.all(wrong.map((text) => gateway.authenticate(text)));
  expect(asked.lookups).toBeLessThanOrEqual(1 + Math.ceil(1_000 / KEY_CACHE.batchMax));
});

test('more wrong keys than are remembered push no right one out', async () => {
  const { gateway, asked, create } = makeReplica();
  const { secret } = await create();
  await gateway.authenticate(secret);
  const texts = Array.from({ length: KEY_CACHE.waitingMax }, wrongKey);
  for (const half of [texts.slice(0, 6_000), texts.slice(6_000), [wrongKey()]]) {
    await Promise.all(half.map((text) => gateway.authenticate(text)));
  }
  const { lookups } = asked;
  expect((await gateway.authenticate(secret)).kind).toBe('known');
  expect(asked.lookups).toBe(lookups);
});

test('more keys at once than may wait are told to come again, and the others are answered', async () => {
  const { gateway } = makeReplica();
  const texts = Array.from({ length: KEY_CACHE.waitingMax + 2 }, wrongKey);
  const answers = await Promise.allSettled(texts.map((text) => gateway.authenticate(text)));
  const refused = answers.filter(({ status }) => status === 'rejected');
  expect(refused.map((answer) => answer.status === 'rejected' && answer.reason)).toEqual([
    expect.any(StoreUnavailable),
  ]);
});

test('while the store is away, a key that worked within a minute works on; others nobody can tell', async () => {
  const { gateway, asked, create, advance, clock } = makeReplica();
  const { secret } = await create();
  const { secret: brief } = await create({ expiresAtMs: later(clock.now(), 30_000) });
  const { secret: unused } = await create();
  await Promise.all([secret, brief].map((text) => gateway.authenticate(text)));
  asked.isAway = true;
  await advance(29_000);
  for (const text of [secret, brief]) expect((await gateway.authenticate(text)).kind).toBe('known');
  await expect(gateway.authenticate(unused)).rejects.toThrow(StoreUnavailable);
  await expect(gateway.authenticate(wrongKey())).rejects.toThrow(StoreUnavailable);
  await advance(1_000);
  await expect(gateway.authenticate(brief)).rejects.toThrow(StoreUnavailable);
  await advance(29_999);
  expect((await gateway.authenticate(secret)).kind).toBe('known');
  await advance(1);
  await expect(gateway.authenticate(secret)).rejects.toThrow(StoreUnavailable);
  asked.isAway = false;
  expect((await gateway.authenticate(secret)).kind).toBe('known');
  expect(await gateway.authenticate(brief)).toEqual({ kind: 'refused', why: 'expired' });
});

test('a key for meters alone works for as long as the store is away, until its own end or a revocation that was seen', async () => {
  const { gateway, asked, create, advance, clock } = makeReplica();
  const scopes = ['metrics:read'];
  const { secret } = await create({ scopes });
  const { secret: brief } = await create({ scopes, expiresAtMs: later(clock.now(), 7_200_000) });
  const { secret: wide } = await create({ scopes: ['metrics:read', 'chat'] });
  const { secret: revoked, key } = await create({ scopes });
  for (const text of [secret, brief, wide, revoked]) await gateway.authenticate(text);
  await gateway.revokeKey({ id: `key_${key.id}` }, ADMIN_CALLER);
  asked.isAway = true;
  await advance(7_199_999);
  for (const text of [secret, brief]) expect((await gateway.authenticate(text)).kind).toBe('known');
  for (const text of [wide, revoked]) await expect(gateway.authenticate(text)).rejects.toThrow(StoreUnavailable);
  await advance(1);
  expect((await gateway.authenticate(secret)).kind).toBe('known');
  await expect(gateway.authenticate(brief)).rejects.toThrow(StoreUnavailable);
});

test('the moment a key expires it works no more, whatever is remembered of it, and whoever listens is told', async () => {
  const { gateway, create, advance, clock } = makeReplica();
  const ended: string[] = [];
  using _listening = gateway.onKeyEnded((id) => ended.push(id));
  const { key, secret } = await create({ expiresAtMs: later(clock.now(), 1_500) });
  await advance(1_499);
  expect((await gateway.authenticate(secret)).kind).toBe('known');
  await advance(1);
  expect(await gateway.authenticate(secret)).toEqual({ kind: 'refused', why: 'expired' });
  await advance(1_000);
  expect(ended).toContain(key.id);
});

test('an expiry that was seen is told when its time has come, also while the store is away', async () => {
  const { gateway, asked, create, advance, clock } = makeReplica();
  const ended: string[] = [];
  using _listening = gateway.onKeyEnded((id) => ended.push(id));
  const { key, secret } = await create({ expiresAtMs: later(clock.now(), 5_000) });
  await gateway.authenticate(secret);
  asked.isAway = true;
  for (let second = 0; second < 4; second += 1) await advance(1_000);
  expect(ended).toEqual([]);
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  expect(ended).toContain(key.id);
  await advance(60_000);
  await advance(1_000);
  const { length } = ended;
  for (let second = 0; second < 10; second += 1) await advance(1_000);
  expect(ended).toHaveLength(length);
});

test('a revocation on this replica is in force at once; one on another within a second, and is told again for a minute', async () => {
  const { gateway, memory, create, advance } = makeReplica();
  const ended: string[] = [];
  const listening = gateway.onKeyEnded((id) => ended.push(id));
  const [here, there] = [await create(), await create()];
  for (const { secret } of [here, there]) await gateway.authenticate(secret);
  await gateway.revokeKey({ id: `key_${here.key.id}` }, ADMIN_CALLER);
  expect(await gateway.authenticate(here.secret)).toEqual({ kind: 'refused', why: 'revoked' });
  // As another replica does it, and without its hint.
  await memory.revokeKey(there.key.id, { name: 'admin', reason: null });
  await advance(1_000);
  expect(await gateway.authenticate(there.secret)).toEqual({ kind: 'refused', why: 'revoked' });
  expect(new Set(ended)).toEqual(new Set([here.key.id, there.key.id]));
  for (let second = 0; second < 60; second += 1) await advance(1_000);
  const { length } = ended;
  for (let second = 0; second < 10; second += 1) await advance(1_000);
  expect(ended).toHaveLength(length);
  listening[Symbol.dispose]();
});

test('what ended while the store was away is told when it is back', async () => {
  const { gateway, memory, asked, create, advance } = makeReplica();
  const ended: string[] = [];
  using _listening = gateway.onKeyEnded((id) => ended.push(id));
  const { key } = await create();
  asked.isAway = true;
  await memory.revokeKey(key.id, { name: 'admin', reason: null });
  await advance(600_000);
  expect(ended).toEqual([]);
  asked.isAway = false;
  await advance(1_000);
  expect(ended).toContain(key.id);
});

test('when a key was last used is written once a minute, however often it is, and not while the store is away', async () => {
  const { gateway, asked, create, advance } = makeReplica();
  const { key, secret } = await create();
  await advance(10_000);
  for (let second = 0; second < 50; second += 1) {
    await gateway.authenticate(secret);
    await advance(1_000);
  }
  expect(asked.touched).toEqual([key.id]);
  expect((await gateway.findKey(key.id, ADMIN_CALLER))?.lastUsedAtMs).toBe(Date.UTC(2026, 0, 1, 0, 1));
  await gateway.authenticate(secret);
  asked.isAway = true;
  await advance(120_000);
  expect(asked.touched).toEqual([key.id]);
  asked.isAway = false;
  await advance(60_000);
  expect(asked.touched).toEqual([key.id, key.id]);
  expect((await gateway.findKey(key.id, ADMIN_CALLER))?.lastUsedAtMs).toBe(Date.UTC(2026, 0, 1, 0, 4));
});
