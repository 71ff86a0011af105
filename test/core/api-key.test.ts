import { expect, test } from 'vitest';
import { endOf } from '../../src/core/api-key.ts';
import { ANONYMOUS, apiKeyId, holderOf, keyAccount, teamAccount, userAccount } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';

test('a key ends at the moment that was said, whichever comes first', () => {
  const ends = { expiresAtMs: epochMs(200), revokedAtMs: epochMs(100) };
  expect(endOf(ends, epochMs(99))).toBeNull();
  expect(endOf(ends, epochMs(100))).toBe('revoked');
  expect(endOf({ ...ends, revokedAtMs: null }, epochMs(199))).toBeNull();
  expect(endOf({ ...ends, revokedAtMs: null }, epochMs(200))).toBe('expired');
  expect(endOf({ expiresAtMs: null, revokedAtMs: null }, epochMs(1e15))).toBeNull();
});

test('accounts of users, keys and teams cannot be taken for each other', () => {
  expect(holderOf(userAccount('team:red'))).toEqual({ level: 'user', id: 'team:red' });
  expect(holderOf(teamAccount('red'))).toEqual({ level: 'team', id: 'red' });
  expect(holderOf(keyAccount(apiKeyId('k1')))).toEqual({ level: 'key', id: 'k1' });
  expect(holderOf(ANONYMOUS)).toBeNull();
});
