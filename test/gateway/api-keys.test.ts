import { expect, onTestFinished, test } from 'vitest';
import { API_KEY_LIMITS, type ApiKey } from '../../src/core/api-key.ts';
import { parseKeyText } from '../../src/core/key-text.ts';
import { SCOPES, type Scope } from '../../src/core/scope.ts';
import { later } from '../../src/core/time.ts';
import { ADMIN_CALLER, type Caller, OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { KeyWish } from '../../src/gateway/key-directory.ts';
import { makeGatewayKit } from '../support/gateway-kit.ts';
import { SEED_REGISTRY } from '../support/registries.ts';

const DAY_MS = 86_400_000;
const WISH: KeyWish = {
  name: 'test',
  scopes: ['chat'],
  userId: null,
  teamId: null,
  expiresAtMs: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
};

function makeKit() {
  const kit = makeGatewayKit({ registry: SEED_REGISTRY });
  onTestFinished(() => kit[Symbol.asyncDispose]());
  const { gateway } = kit;
  const create = async (over: Partial<KeyWish> = {}, caller: Caller = ADMIN_CALLER) => {
    const made = await gateway.createKey({ ...WISH, ...over }, caller);
    if (made.kind !== 'created') throw new RangeError(made.message);
    return made;
  };
  /** A caller with a key of these scopes. */
  const holder = async (scopes: readonly Scope[], over: Partial<KeyWish> = {}): Promise<Caller> => {
    return { kind: 'key', key: (await create({ scopes, ...over })).key };
  };
  const issuesOf = async (over: Partial<KeyWish>, caller: Caller) => {
    const answer = await gateway.createKey({ ...WISH, ...over }, caller);
    return answer.kind === 'invalidInput' ? answer.issues.map(({ path }) => path.join('.')) : [];
  };
  return { ...kit, create, holder, issuesOf };
}

test('a key is made as it was wished, of a line of its own, and its text is told once', async () => {
  const { gateway, create, clock, store, deps } = makeKit();
  const limits = { requestsPerMinute: 60, tokensPerMinute: 10_000, concurrency: 4 };
  const expiresAtMs = later(clock.now(), DAY_MS);
  const { key, secret } = await create({
    name: 'search team',
    scopes: ['chat', 'budgets:write', 'chat'],
    userId: 'ann',
    teamId: 'search',
    expiresAtMs,
    limits,
  });
  expect(key).toEqual({
    id: key.id,
    line: key.id,
    name: 'search team',
    prefix: secret.slice(0, 15),
    scopes: ['chat', 'budgets:admin'],
    userId: 'ann',
    teamId: 'search',
    limits,
    createdAtMs: clock.now(),
    lastUsedAtMs: null,
    expiresAtMs,
    revokedAtMs: null,
  } satisfies ApiKey);
  expect(parseKeyText(secret)).toBe(key.id);
  const told = JSON.stringify([
    await gateway.pageKeys({ size: 10, direction: 'forward', cursor: null }),
    await gateway.pageAudit({ size: 10, direction: 'forward', cursor: null }),
    await gateway.findKey(key.id, ADMIN_CALLER),
    await store.findKey(key.id),
  ]);
  expect(told).not.toContain(secret.slice(16));
  expect(told).not.toContain(deps.digest(secret));
});

test('every problem of a wish is told at once, under the name of its field', async () => {
  const { issuesOf, clock } = makeKit();
  const { nameCharsMax, userIdCharsMax, tokensPerMinuteMax } = API_KEY_LIMITS;
  const wrong = {
    name: 'x'.repeat(nameCharsMax + 1),
    scopes: ['chat', 'everything'],
    userId: 'x'.repeat(userIdCharsMax + 1),
    teamId: 'half a pair \ud800',
    expiresAtMs: clock.now(),
    limits: { requestsPerMinute: 0, tokensPerMinute: tokensPerMinuteMax + 1, concurrency: 1.5 },
  };
  expect(await issuesOf(wrong, ADMIN_CALLER)).toEqual([
    'name',
    'scopes.1',
    'userId',
    'teamId',
    'expiresAt',
    'requestsPerMinute',
    'tokensPerMinute',
    'concurrency',
  ]);
  expect(await issuesOf({ name: ' ', userId: '', teamId: 'NUL \0' }, OPEN_CALLER)).toEqual([
    'name',
    'userId',
    'teamId',
  ]);
});

test('nobody gives away a scope that they do not have', async () => {
  const { holder, issuesOf } = makeKit();
  const maker = await holder(['keys:admin', 'chat', 'requests:read'], { userId: 'ann' });
  for (const scope of SCOPES) {
    const isOwn = ['keys:admin', 'keys:read', 'chat', 'requests:read'].includes(scope);
    expect(await issuesOf({ userId: 'ann', scopes: ['chat', scope] }, maker), scope).toEqual(isOwn ? [] : ['scopes']);
    expect(await issuesOf({ scopes: [scope] }, await holder(['admin'])), scope).toEqual([]);
  }
});

test("nobody gets at another user's money or requests, or another team's money, by making a key for them", async () => {
  const { holder, issuesOf } = makeKit();
  const own = await holder(['keys:admin', 'chat', 'requests:read', 'budgets:admin'], { userId: 'ann', teamId: 'red' });
  expect(await issuesOf({ userId: 'ann', teamId: 'red', scopes: ['chat', 'requests:read'] }, own)).toEqual([]);
  expect(await issuesOf({ userId: 'bob' }, own)).toEqual(['userId']);
  expect(await issuesOf({ teamId: 'blue' }, own)).toEqual(['teamId']);
  const proxy = await holder(['keys:admin', 'chat', 'chat:on-behalf-of', 'requests:read', 'budgets:admin']);
  expect(await issuesOf({ userId: 'bob', teamId: 'blue' }, proxy)).toEqual([]);
  expect(await issuesOf({ userId: 'bob', scopes: ['requests:read'] }, proxy)).toEqual(['userId']);
});

test('nobody makes money, or sheds a team, a limit or an expiry, by making a key, unless they may set budgets', async () => {
  const { gateway, holder, issuesOf, clock } = makeKit();
  const expiresAtMs = later(clock.now(), DAY_MS);
  const limits = { requestsPerMinute: 1, tokensPerMinute: 1_000, concurrency: 2 };
  const held = { userId: 'ann', teamId: 'red', expiresAtMs, limits };
  const maker = await holder(['keys:admin', 'chat', 'chat:on-behalf-of'], held);
  expect(await issuesOf(held, maker)).toEqual([]);
  const tighter = { requestsPerMinute: 1, tokensPerMinute: 10, concurrency: 1 };
  expect(await issuesOf({ ...held, expiresAtMs: later(clock.now(), 1_000), limits: tighter }, maker)).toEqual([]);
  const everything = ['userId', 'teamId', 'expiresAt', 'requestsPerMinute', 'tokensPerMinute', 'concurrency'];
  expect(await issuesOf({}, maker)).toEqual(everything);
  const looser = { requestsPerMinute: 2, tokensPerMinute: 1_001, concurrency: 3 };
  const more = { userId: 'bob', teamId: 'blue', expiresAtMs: later(expiresAtMs, 1), limits: looser };
  expect(await issuesOf(more, maker)).toEqual(everything);
  const alone = await holder(['keys:admin', 'chat']);
  const answer = await gateway.createKey({ ...WISH }, alone);
  expect(answer).toMatchObject({ issues: [{ path: ['userId'], message: expect.stringContaining('budgets:admin') }] });
  expect(await issuesOf({}, await holder(['keys:admin', 'chat', 'budgets:admin'], held))).toEqual([]);
});

test('a rotated key works on for the overlap and not a millisecond longer; its line and all it may do go on', async () => {
  const { gateway, create, clock } = makeKit();
  const { key, secret } = await create({ scopes: ['chat', 'requests:read'], userId: 'ann', teamId: 'red' });
  clock.advance(5_000);
  const rotated = await gateway.rotateKey({ id: key.prefix, overlapMs: DAY_MS }, ADMIN_CALLER);
  if (rotated.kind !== 'rotated') throw new RangeError(rotated.message);
  const { id, prefix, createdAtMs, ...same } = rotated.key;
  expect(same).toEqual({ ...same, line: key.id, name: key.name, scopes: key.scopes, userId: 'ann', teamId: 'red' });
  expect(rotated.replaced).toEqual({ ...key, revokedAtMs: later(clock.now(), DAY_MS) });
  const states = async () =>
    Promise.all([secret, rotated.secret].map(async (text) => (await gateway.authenticate(text)).kind));
  expect(await states()).toEqual(['known', 'known']);
  clock.advance(DAY_MS - 1);
  expect(await states()).toEqual(['known', 'known']);
  clock.advance(1);
  expect(await states()).toEqual(['refused', 'known']);
  const again = await gateway.rotateKey({ id: key.id, overlapMs: 0 }, ADMIN_CALLER);
  expect(again).toMatchObject({ kind: 'invalidInput', issues: [{ path: ['apiKeyId'] }] });
});

test('nobody rotates a key that they could not have made, for the answer has its secret', async () => {
  const { gateway, create, holder } = makeKit();
  const { key } = await create({ scopes: ['admin'] });
  const maker = await holder(['keys:admin', 'chat']);
  expect(await gateway.rotateKey({ id: key.id, overlapMs: 0 }, maker)).toMatchObject({
    issues: [{ path: ['scopes'] }, { path: ['userId'] }, { path: ['userId'] }],
  });
  const { key: bobs } = await create({ userId: 'bob' });
  expect(await gateway.rotateKey({ id: bobs.id, overlapMs: 0 }, maker)).toMatchObject({
    issues: [{ path: ['userId'] }],
  });
  const own = maker.kind === 'key' ? maker.key.id : '';
  for (const overlapMs of [-1, API_KEY_LIMITS.overlapMsMax + 1, 0.5]) {
    expect(await gateway.rotateKey({ id: own, overlapMs }, maker)).toMatchObject({
      issues: [{ path: ['overlap'] }],
    });
  }
  expect((await gateway.rotateKey({ id: own, overlapMs: 0 }, maker)).kind).toBe('rotated');
});

test('nobody takes over the account and the log of another line by rotating it: also not of one without a user', async () => {
  const { gateway, create, holder } = makeKit();
  const { key: tenant, secret } = await create({ scopes: ['chat', 'requests:read'] });
  const { key: recorded } = await create({ scopes: ['content:read'] });
  const rotate = async (id: string, scopes: readonly Scope[], over: Partial<KeyWish> = {}) => {
    const answer = await gateway.rotateKey({ id, overlapMs: 0 }, await holder(scopes, over));
    return answer.kind === 'invalidInput'
      ? answer.issues.map(({ message }) => /[a-z]+:[a-z-]+$/.exec(message)?.[0])
      : [];
  };
  const thief = ['keys:admin', 'chat', 'requests:read', 'content:read'] as const;
  expect(await rotate(tenant.id, thief)).toEqual(['chat:on-behalf-of', 'requests:read-all']);
  expect(await rotate(recorded.id, thief)).toEqual(['chat:on-behalf-of', 'requests:read-all']);
  expect(await rotate(tenant.id, [...thief, 'chat:on-behalf-of'])).toEqual(['requests:read-all']);
  expect((await gateway.authenticate(secret)).kind).toBe('known');
  const { key: anns } = await create({ userId: 'ann' });
  expect(await rotate(anns.id, thief, { userId: 'ann' })).toEqual(['chat:on-behalf-of']);
  expect(await rotate(tenant.id, [...thief, 'chat:on-behalf-of', 'requests:read-all'])).toEqual([]);
});

test('what is no id of a key is not found, and not told back: it may have been a secret', async () => {
  const { gateway, create } = makeKit();
  const { secret } = await create();
  for (const id of ['', 'key_', 'nobodyhas000', 'NUL \0', secret]) {
    const answers = [
      await gateway.revokeKey({ id }, ADMIN_CALLER),
      await gateway.rotateKey({ id, overlapMs: 0 }, ADMIN_CALLER),
    ];
    expect(answers).toMatchObject([{ kind: 'notFound' }, { kind: 'notFound' }]);
    expect(JSON.stringify(answers)).not.toContain(secret);
    expect(await gateway.findKey(id, ADMIN_CALLER)).toBeNull();
  }
});

test('a key is shown to those who may see keys, and to whoever comes with it', async () => {
  const { gateway, holder, create } = makeKit();
  const { key } = await create();
  const own: Caller = { kind: 'key', key };
  const other = await holder(['chat', 'requests:read-all']);
  const reader = await holder(['keys:read']);
  const seen = await Promise.all([own, reader, other].map((caller) => gateway.findKey(`key_${key.id}`, caller)));
  expect(seen).toEqual([key, key, null]);
});

test('the audit log says who did it: the operator, an open door, or which key', async () => {
  const { gateway, create, holder } = makeKit();
  const maker = await holder(['admin']);
  const { key } = await create({}, maker);
  await gateway.revokeKey({ id: key.id }, OPEN_CALLER);
  await gateway.resetBreaker('openai', 'drill', maker);
  const answer = await gateway.pageAudit({ size: 10, direction: 'forward', cursor: null });
  const makerId = maker.kind === 'key' ? maker.key.id : '';
  expect(answer.kind === 'page' && answer.page.items.map(({ item }) => [item.actor, item.act, item.target])).toEqual([
    [`key:${makerId}`, 'resetBreaker', 'openai'],
    ['open', 'revokeApiKey', `key:${key.id}`],
    [`key:${makerId}`, 'createApiKey', `key:${key.id}`],
    ['admin', 'createApiKey', `key:${makerId}`],
  ]);
});
