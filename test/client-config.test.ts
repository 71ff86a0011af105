import { expect, test } from 'vitest';
import { parseClientConfig } from '../src/client-config.ts';

const ADMIN_KEY = '3f9c1b7a5d2e8f604c1a9b3d7e5f2a80';

test.each(['http://localhost:4000', 'http://127.0.0.1:9', 'http://[::1]:9'])('%s is sent ADMIN_KEY', (url) => {
  expect(parseClientConfig({ SWITCHYARD_URL: url, ADMIN_KEY })).toEqual({
    kind: 'valid',
    config: { url, key: ADMIN_KEY },
  });
});

test.each(['https://gateway.test', 'https://127.0.0.1.gateway.test'])('%s is never sent ADMIN_KEY', (url) => {
  const faults = [expect.stringContaining('SWITCHYARD_KEY')];
  expect(parseClientConfig({ SWITCHYARD_URL: url, ADMIN_KEY })).toEqual({ kind: 'invalid', faults });
  const config = { url, key: 'sy_mine' };
  expect(parseClientConfig({ SWITCHYARD_URL: url, ADMIN_KEY, SWITCHYARD_KEY: 'sy_mine' })).toEqual({
    kind: 'valid',
    config,
  });
});

test('no key is sent in clear to another machine', () => {
  const faults = [expect.stringContaining('https://')];
  const env = { SWITCHYARD_URL: 'http://10.0.0.5:4000', SWITCHYARD_KEY: 'sy_mine' };
  expect(parseClientConfig(env)).toEqual({ kind: 'invalid', faults });
});
