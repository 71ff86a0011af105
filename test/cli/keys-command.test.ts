import { expect, test } from 'vitest';
import { parseKeysCommand } from '../../src/cli/keys-command.ts';
import { epochMs } from '../../src/core/time.ts';

const NOW = epochMs(Date.UTC(2026, 0, 1));
const parse = (...words: string[]) => parseKeysCommand(words, NOW);

test('what is not said is left to the gateway and its defaults', () => {
  expect(parse('create', '--name', 'x')).toEqual({
    kind: 'create',
    isJson: false,
    input: {
      name: 'x',
      userId: null,
      teamId: null,
      expiresAt: null,
      requestsPerMinute: null,
      tokensPerMinute: null,
      concurrency: null,
    },
  });
  expect(parse('rotate', 'key_1', '--json')).toEqual({ kind: 'rotate', isJson: true, input: { apiKeyId: 'key_1' } });
  expect(parse('list')).toEqual({ kind: 'list', isJson: false });
});

test('all that can be said of a key reaches the gateway', () => {
  const words =
    '--name x --scopes chat,,metrics:read --user ann --team red --expires 90d --rpm 1 --tpm 2 --concurrency 3';
  expect(parse('create', ...words.split(' '))).toMatchObject({
    input: {
      // The empty name is the gateway's to refuse.
      scopes: ['chat', '', 'metrics:read'],
      userId: 'ann',
      teamId: 'red',
      expiresAt: '2026-04-01T00:00:00.000Z',
      requestsPerMinute: 1,
      tokensPerMinute: 2,
      concurrency: 3,
    },
  });
  const moment = parse('create', '--name', 'x', '--expires', '2027-01-31T01:00:00+01:00');
  expect(moment).toMatchObject({ input: { expiresAt: '2027-01-31T00:00:00.000Z' } });
});

test('an overlap is handed on as it is written, and none at all ends the old key at once', () => {
  expect(parse('rotate', 'k', '--overlap', '12h')).toMatchObject({ input: { overlap: '12h' } });
  for (const none of ['0', '0s', '0h'])
    expect(parse('rotate', 'k', '--overlap', none)).toMatchObject({ input: { overlap: null } });
});

test.each([
  [[], 'Say what to do'],
  [['destroy'], 'no command "destroy"'],
  [['create'], '--name'],
  [['rotate'], 'which key to rotate'],
  [['revoke'], 'which key to revoke'],
  [['revoke', 'a', 'b'], 'takes no "b"'],
  [['list', 'all'], 'takes no "all"'],
  [['list', '--name', 'x'], '--name does not go with list'],
  [['create', '--name', 'x', '--rpm', 'many'], 'whole number'],
  [['create', '--name', 'x', '--expires', 'soon'], '--expires'],
  [['--nonsense'], '--nonsense'],
])('%j is told what is wrong with it', (words, message) => {
  expect(parse(...words)).toEqual({ kind: 'usage', message: expect.stringContaining(message) });
});
