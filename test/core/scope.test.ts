import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allows, mayGrant, parseScope, SCOPES } from '../../src/core/scope.ts';

test('admin may do everything, and nobody may without a scope', () => {
  for (const scope of SCOPES) {
    expect(allows(['admin'], scope)).toBe(true);
    expect(allows([], scope)).toBe(false);
  }
});

test('who may change budgets or keys may look at them, and not the other way round', () => {
  expect(allows(['budgets:admin'], 'budgets:read')).toBe(true);
  expect(allows(['budgets:read'], 'budgets:admin')).toBe(false);
  expect(allows(['keys:admin'], 'keys:read')).toBe(true);
  expect(allows(['keys:read'], 'keys:admin')).toBe(false);
  expect(allows(['requests:read-all'], 'requests:read')).toBe(true);
  expect(allows(['requests:read'], 'requests:read-all')).toBe(false);
});

test("the API's other spellings mean the same, and what is no scope is none", () => {
  expect(parseScope('chaos:write')).toBe('simulate');
  expect(parseScope('budgets:write')).toBe('budgets:admin');
  for (const scope of SCOPES) expect(parseScope(scope)).toBe(scope);
  for (const text of ['', 'Chat', 'chat ', '*', 'constructor', '__proto__', 'toString'])
    expect(parseScope(text)).toBeNull();
});

test('nobody gives away what they do not have', () => {
  const scopes = fc.subarray([...SCOPES]);
  fc.assert(
    fc.property(scopes, scopes, (own, given) => {
      if (!mayGrant(own, given)) return;
      for (const scope of SCOPES) if (allows(given, scope)) expect(allows(own, scope)).toBe(true);
    }),
  );
});
