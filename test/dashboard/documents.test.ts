import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { operationsIn, readDocuments } from '../../dashboard/build/documents.ts';
import { makeDocumentsModule } from '../../dashboard/build/documents-module.ts';
import { COST_MAX, costOf } from '../../src/graphql/cost.ts';
import { parsePersisted } from '../../src/graphql/persisted-documents.ts';
import { schema } from '../../src/graphql/schema.ts';
import { sha256 } from '../../src/wiring/system.ts';

const ROOT = join(import.meta.dirname, '../..');
const operations = operationsIn(readDocuments());

test('the types and ids that the page goes by are those of its documents and of this schema', async () => {
  const made = await makeDocumentsModule(readFileSync(join(ROOT, 'schema.graphql'), 'utf8'), readDocuments());
  const committed = readFileSync(join(ROOT, 'dashboard/documents.generated.ts'), 'utf8');
  expect(committed, 'run "npm run generate-documents"').toBe(made);
});

test('the gateway takes every document of the page, as if an operator had given it', () => {
  const texts = Object.fromEntries(operations.map(({ id, text }) => [id, text]));
  expect(parsePersisted(texts, sha256)).toMatchObject({ kind: 'valid' });
  expect(operations.map(({ name }) => name)).toContain('BreakerEvents');
});

test('no document of the page costs more than an operation may', () => {
  const costs = operations.map(({ name, text }) => {
    const document = parse(text);
    const operation = getOperationAST(document);
    if (operation === null || operation === undefined) throw new RangeError(`which operation of ${name}?`);
    return { name, cost: costOf(schema, { document, operation, variables: {} }) };
  });
  expect(costs.filter(({ cost }) => cost > COST_MAX)).toEqual([]);
});

test('a fragment that several fragments use is sent once, and one that is missing is named', () => {
  const [found] = operationsIn(`
    query Q { providers { ...A ...B } }
    fragment A on Provider { ...C }
    fragment B on Provider { ...C }
    fragment C on Provider { key }`);
  expect(found?.text.match(/fragment C /g)).toHaveLength(1);
  expect(found?.id).toBe(`sha256:${sha256(found?.text ?? '')}`);
  expect(() => operationsIn('query Q { providers { ...Gone } }')).toThrow('no document has the fragment Gone');
});
