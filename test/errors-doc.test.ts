import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../src/core/outcome.ts';
import { DOOR_CODES } from '../src/graphql/door-error.ts';
import { HTTP_CODES } from '../src/http/answer.ts';
import { startService } from './support/running.ts';

const DOCS = join(import.meta.dirname, '..', 'docs', 'errors.md');

/** Codes that the GraphQL library gives by itself, each with a document that earns it. */
const LIBRARY_CODES = {
  GRAPHQL_PARSE_FAILED: '{',
  GRAPHQL_VALIDATION_FAILED: '{ nobody }',
  OPERATION_RESOLUTION_FAILURE: 'query One { viewer { scopes } } query Two { viewer { scopes } }',
} as const;

test('docs/errors.md explains every code that an answer can have, once, and no other', () => {
  const explained = readFileSync(DOCS, 'utf8').match(/(?<=^\| `)[A-Z_]+(?=` \|)/gm);
  const told = new Set<string>([...ERROR_CODES, ...DOOR_CODES, ...HTTP_CODES, ...Object.keys(LIBRARY_CODES)]);
  expect(explained?.toSorted()).toEqual([...told].sort());
});

test('the codes of the GraphQL library are those that it really gives', async () => {
  await using service = await startService({ STORE: 'memory' });
  for (const [code, query] of Object.entries(LIBRARY_CODES)) {
    expect(await service.ask(query)).toMatchObject({ errors: [{ extensions: { code } }] });
  }
});
