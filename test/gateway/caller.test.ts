import { expect, test } from 'vitest';
import type { ApiKey } from '../../src/core/api-key.ts';
import { apiKeyId } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/scope.ts';
import { epochMs } from '../../src/core/time.ts';
import {
  ADMIN_CALLER,
  type Caller,
  limitsOf,
  maySee,
  NOBODY,
  OPEN_CALLER,
  payerOf,
  viewOf,
} from '../../src/gateway/caller.ts';
import { usd } from '../fakes/gateway-data.ts';

const DEFAULT = usd('1.00');

function keyed(scopes: readonly Scope[], of: Partial<ApiKey> = {}): Caller {
  const key: ApiKey = {
    id: apiKeyId('second'),
    line: apiKeyId('first'),
    name: 'a test',
    prefix: 'sy_second',
    scopes,
    userId: null,
    teamId: null,
    limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
    createdAtMs: epochMs(0),
    lastUsedAtMs: null,
    expiresAtMs: null,
    revokedAtMs: null,
    ...of,
  };
  return { kind: 'key', key };
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

test('a caller sees the requests of the own account, and of others only with leave', () => {
  const alice = keyed(['requests:read'], { userId: 'alice' });
  expect(maySee(alice, { account: payerOf(alice, null, DEFAULT).account })).toBe(true);
  expect(maySee(alice, { account: payerOf(keyed([], { userId: 'bob' }), null, DEFAULT).account })).toBe(false);
  expect(viewOf(keyed(['chat'])).kind).toBe('nobody');
  expect(viewOf(NOBODY).kind).toBe('nobody');
  expect(viewOf(keyed(['requests:read-all'])).kind).toBe('everybody');
});

test('only keys have limits of their own', () => {
  const limits = { requestsPerMinute: 60, tokensPerMinute: null, concurrency: 2 };
  expect(limitsOf(keyed(['chat'], { limits }))).toEqual(limits);
  expect(Object.values(limitsOf(ADMIN_CALLER))).toEqual([null, null, null]);
});
