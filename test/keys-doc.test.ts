import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLIENT_SETTINGS } from '../src/client-config.ts';
import { API_KEY_LIMITS } from '../src/core/api-key.ts';
import { allows, parseScope, SCOPES } from '../src/core/scope.ts';

const text = readFileSync(join(import.meta.dirname, '../docs/keys.md'), 'utf8');
const rowsUnder = (heading: string) =>
  [...(text.split(`| ${heading} |`)[1] ?? '').split('\n\n')[0]!.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(
    ([, name = '', rest = '']) => ({ name, rest: rest.trim() }),
  );

test('docs/keys.md explains every scope once, and says truly what each holds and how else it is written', () => {
  const rows = rowsUnder('Scope | Allows');
  expect(rows.map(({ name }) => name)).toEqual(SCOPES);
  for (const { name, rest } of rows) {
    const scope = parseScope(name)!;
    const held = /holds `([^`]+)`/.exec(rest)?.[1];
    const others = SCOPES.filter((other) => other !== scope && scope !== 'admin' && allows([scope], other));
    expect(others, name).toEqual(held === undefined ? [] : [held]);
    const spelling = /Also written `([^`]+)`/.exec(rest)?.[1];
    if (spelling !== undefined) expect(parseScope(spelling)).toBe(scope);
  }
});

test('the variables of the command are those of docs/keys.md, word for word', () => {
  const rows = rowsUnder('Variable | Must be | Meaning');
  const settings = Object.values(CLIENT_SETTINGS);
  expect(rows).toEqual(settings.map(({ name, bounds, meaning }) => ({ name, rest: `${bounds} | ${meaning}` })));
});

test('the limits of keys are those of docs/keys.md', () => {
  const told = Object.fromEntries(
    rowsUnder('Of a key | Meaning | At most').map(({ name, rest }) => [name, rest.split(' | ').at(-1)]),
  );
  const words = (count: number) => count.toLocaleString('en');
  expect(told).toMatchObject({
    name: `${words(API_KEY_LIMITS.nameCharsMax)} characters`,
    userId: `${words(API_KEY_LIMITS.userIdCharsMax)} characters`,
    teamId: `${words(API_KEY_LIMITS.teamIdCharsMax)} characters`,
    requestsPerMinute: words(API_KEY_LIMITS.requestsPerMinuteMax),
    tokensPerMinute: words(API_KEY_LIMITS.tokensPerMinuteMax),
    concurrency: words(API_KEY_LIMITS.concurrencyMax),
  });
});
