import { expect, test } from 'vitest';
import type { ApiKey } from '../../src/core/api-key.ts';
import { ANONYMOUS, apiKeyId, keyAccount, teamAccount, userAccount } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/scope.ts';
import { isSeen } from '../../src/core/view.ts';
import {
  ADMIN_CALLER,
  type Caller,
  limitsOf,
  mayReadBudget,
  NOBODY,
  OPEN_CALLER,
  payerOf,
  reachOf,
  usedKeyOf,
  viewOf,
} from '../../src/gateway/caller.ts';
import { usd } from '../fakes/gateway-data.ts';
import { keyed as makeKeyed } from '../support/callers.ts';

const DEFAULT = usd('1.00');

/** The second key of its line. */
function keyed(scopes: readonly Scope[], of: Partial<ApiKey> = {}): Caller {
  return makeKeyed(scopes, { id: apiKeyId('second'), line: apiKeyId('first'), ...of });
}

test('a claimed user is billed only by a key that may act for others', () => {
  const own = keyed(['chat'], { userId: 'alice' });
  expect(payerOf(own, 'bob', DEFAULT)).toMatchObject({ account: 'user:alice', userId: 'alice' });
  expect(payerOf(own, 'alice', DEFAULT)).toMatchObject({ account: 'user:alice' });
  const proxy = keyed(['chat', 'chat:on-behalf-of'], { userId: 'alice' });
  expect(payerOf(proxy, 'bob', DEFAULT)).toMatchObject({ account: 'user:bob', userId: 'bob', also: ['key:first'] });
});

test('a key without a user pays by itself, under the default cap, and its team pays along', () => {
  const payer = payerOf(keyed(['chat'], { teamId: 'red' }), null, DEFAULT);
  expect(payer).toEqual({ account: 'key:first', userId: null, defaultCap: DEFAULT, also: ['team:red'] });
});

test('only the open service has an account without a cap', () => {
  expect(payerOf(OPEN_CALLER, null, DEFAULT).defaultCap).toBeNull();
  expect(payerOf(ADMIN_CALLER, null, DEFAULT)).toMatchObject({ account: 'key:admin', defaultCap: DEFAULT });
});

test('a caller sees what its account pays and what its line sent, and of others nothing without leave', () => {
  const alice = keyed(['requests:read'], { userId: 'alice' });
  const bob = keyed(['chat:on-behalf-of'], { userId: 'bob', line: apiKeyId('bobs') });
  const request = (caller: Caller, userId: string | null = null) => ({
    account: payerOf(caller, userId, DEFAULT).account,
    apiKey: usedKeyOf(caller),
  });
  expect(isSeen(request(alice), viewOf(alice))).toBe(true);
  expect(isSeen(request(bob), viewOf(alice))).toBe(false);
  expect(isSeen(request(bob, 'alice'), viewOf(alice))).toBe(true);
  expect(isSeen({ ...request(bob), apiKey: usedKeyOf(alice) }, viewOf(alice))).toBe(true);
  expect(isSeen(request(bob), viewOf(keyed(['requests:read-all'])))).toBe(true);
  for (const blind of [NOBODY, keyed(['chat'], { userId: 'alice' })]) {
    expect(isSeen(request(alice), viewOf(blind))).toBe(false);
  }
});

test('who may not read may stop the own chats all the same; who reads all may not stop all', () => {
  const own = { account: userAccount('alice'), apiKey: null };
  const others = { account: userAccount('bob'), apiKey: null };
  for (const scope of ['chat', 'requests:read-all'] as const) {
    const reach = reachOf(keyed([scope], { userId: 'alice' }));
    expect([own, others].map((request) => isSeen(request, reach))).toEqual([true, false]);
  }
  for (const operator of [OPEN_CALLER, ADMIN_CALLER]) expect(isSeen(others, reachOf(operator))).toBe(true);
  expect(isSeen(own, reachOf(NOBODY))).toBe(false);
});

test('a caller may read the budgets that it is paid from', () => {
  const alice = keyed(['chat'], { userId: 'alice', teamId: 'red' });
  const own = [userAccount('alice'), keyAccount(apiKeyId('first')), teamAccount('red')];
  const others = [userAccount('bob'), keyAccount(apiKeyId('second')), teamAccount('blue'), ANONYMOUS];
  expect(own.map((account) => mayReadBudget(alice, account))).toEqual([true, true, true]);
  expect(others.map((account) => mayReadBudget(alice, account))).toEqual([false, false, false, false]);
  expect(mayReadBudget(keyed(['budgets:admin']), userAccount('bob'))).toBe(true);
  expect(mayReadBudget(NOBODY, ANONYMOUS)).toBe(false);
  const proxy = keyed(['chat', 'chat:on-behalf-of']);
  expect([userAccount('bob'), teamAccount('red')].map((account) => mayReadBudget(proxy, account))).toEqual([
    true,
    false,
  ]);
});

test('only keys have limits of their own', () => {
  const limits = { requestsPerMinute: 60, tokensPerMinute: null, concurrency: 2 };
  expect(limitsOf(keyed(['chat'], { limits }))).toEqual(limits);
  expect(Object.values(limitsOf(ADMIN_CALLER))).toEqual([null, null, null]);
});
