import { readFileSync } from 'node:fs';
import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { DOCUMENT_LIMITS } from '../../src/graphql/document-limits.ts';
import { makeDocuments } from '../../src/graphql/documents.ts';
import { REPEATS_MAX } from '../../src/graphql/few-repeats.ts';

const CHAT = 'chat(input: { prompt: "hi" }) { __typename }';

function codesOf(text: string): readonly unknown[] {
  const documents = makeDocuments();
  return documents.faultsOf(documents.parse(text)).map((error) => error.extensions.code);
}

describe('one operation spends money at most once', () => {
  test.each([
    ['one chat', `mutation { ${CHAT} }`],
    ['one chat beside free mutations', `mutation { ${CHAT} resetBreaker(input: { providerId: "x" }) { __typename } }`],
    ['the same chat twice, which runs once', `mutation { a: ${CHAT} a: ${CHAT} }`],
    ['two operations with one chat each', `mutation A { ${CHAT} } mutation B { ${CHAT} }`],
  ])('%s is taken', (_name, document) => {
    expect(codesOf(document)).toEqual([]);
  });

  test.each([
    ['two aliases', `mutation { a: ${CHAT} b: ${CHAT} }`],
    [
      'as many aliases as there may be',
      `mutation { ${Array.from({ length: DOCUMENT_LIMITS.aliasesMax }, (_, index) => `c${index}: ${CHAT}`).join(' ')} }`,
    ],
    ['one hidden in a fragment', `mutation { ${CHAT} ...F } fragment F on Mutation { b: ${CHAT} }`],
    ['two hidden in one fragment', `mutation { ...F } fragment F on Mutation { a: ${CHAT} b: ${CHAT} }`],
    [
      'one hidden in a fragment of a fragment',
      `mutation { a: ${CHAT} ...F } fragment F on Mutation { ...G } fragment G on Mutation { b: ${CHAT} }`,
    ],
    ['one hidden in an inline fragment', `mutation { a: ${CHAT} ... { b: ${CHAT} } }`],
    [
      'one that is skipped, for who knows',
      `mutation ($no: Boolean!) { a: ${CHAT} b: chat(input: { prompt: "hi" }) @include(if: $no) { __typename } }`,
    ],
    ['the second of two operations', `mutation A { ${CHAT} } mutation B { a: ${CHAT} b: ${CHAT} }`],
  ])('%s is refused', (_name, document) => {
    expect(codesOf(document)).toEqual(['TOO_MANY_PAID_MUTATIONS']);
  });
});

const { aliasesMax, depthMax, directivesMax, nameCharsMax, selectionsMax, tokensMax } = DOCUMENT_LIMITS;
const many = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');

describe('a document nests only so deep', () => {
  const nested = (depth: number) =>
    `{ providers { ${'models { provider { '.repeat(depth / 2)} key ${'} }'.repeat(depth / 2)} } }`;

  test('what a page shows at once fits; going in circles does not', () => {
    expect(codesOf(nested(depthMax - 2))).toEqual([]);
    expect(codesOf(nested(depthMax))).toEqual(['TOO_DEEP']);
  });

  test('fragments hide no depth', () => {
    const chain = many(20, (index) => `fragment F${index} on Provider { models { provider { ...F${index + 1} } } }`);
    expect(codesOf(`{ providers { ...F0 } } ${chain} fragment F20 on Provider { key }`)).toEqual(['TOO_DEEP']);
  });

  test('what every tool asks of the schema fits; a type that is followed further, or back to members of its members, does not', () => {
    expect(codesOf(getIntrospectionQuery())).toEqual([]);
    expect(codesOf(`{ __schema { types { ${'ofType { '.repeat(20)} name ${'}'.repeat(20)} } } }`)).toEqual([
      'TOO_DEEP',
    ]);
    expect(codesOf('{ __type(name: "Query") { fields { type { fields { name } } } } }')).toEqual([]);
    expect(codesOf('{ __schema { types { fields { type { fields { name } } } } } }')).toEqual(['TOO_DEEP']);
  });
});

describe('a document has only so many', () => {
  test.each([
    ['aliases', (count: number) => `{ ${many(count, (index) => `a${index}: gateway { version }`)} }`, aliasesMax],
    [
      'directives',
      (count: number) => `{ gateway { ${many(count, () => 'version @include(if: true)')} } }`,
      directivesMax,
    ],
    ['fields', (count: number) => `{ gateway { ${many(count - 1, () => 'version')} } }`, selectionsMax],
  ])('%s', (what, document, limit) => {
    // Fragments bring in ten times what is written.
    const spread = (count: number) =>
      `{ ${many(10, () => '...F')} } ${document(count).replace('{', 'fragment F on Query {')}`;
    const isLong = limit > tokensMax / 2;
    if (!isLong) expect(codesOf(document(limit))).toEqual([]);
    if (!isLong) expect(codesOf(document(limit + 1))).toEqual([`TOO_MANY_${what.toUpperCase()}`]);
    expect(codesOf(spread(Math.floor(limit / 10)))).toEqual(isLong ? ['TOO_MANY_FIELDS'] : []);
    expect(codesOf(spread(Math.floor(limit / 10) + 1))).toEqual([`TOO_MANY_${what.toUpperCase()}`]);
  });

  test('tokens', () => {
    expect(() => codesOf(`{ ${many(tokensMax - 2, () => '__typename')} }`)).not.toThrow();
    expect(() => codesOf(`{ ${many(tokensMax - 1, () => '__typename')} }`)).toThrow(/more than 2000 tokens/);
  });

  test('fields that it asks for again, below fields that it asks for again as well', () => {
    const again = (count: number) => `{ ${many(count / 2, () => 'gateway { version }')} }`;
    expect(codesOf(again(REPEATS_MAX + 2))).toEqual([]);
    expect(codesOf(again(REPEATS_MAX + 4))).toEqual(['TOO_MANY_FIELDS']);
  });

  test('characters in a name', () => {
    expect(codesOf(`{ ${'a'.repeat(nameCharsMax)}: __typename }`)).toEqual([]);
    expect(codesOf(`{ ${'a'.repeat(nameCharsMax + 1)}: __typename }`)).toEqual(['NAME_TOO_LONG']);
  });
});

describe('no document takes long to refuse', () => {
  const REFUSED_MS_MAX = 500;
  const fan = (type: string) =>
    many(180, (index) => `fragment F${index} on ${type} { ...F${index + 1} ...F${index + 1} }`);
  const NAMES = Array.from({ length: 30 }, (_, index) => `F${index}`);

  test.each([
    ['fragments that double 180 times', `{ providers { ...F0 } } ${fan('Provider')} fragment F180 on Provider { key }`],
    ['the same in introspection', `{ __schema { ...F0 } } ${fan('__Schema')} fragment F180 on __Schema { __typename }`],
    ['fragments that nobody spreads', `{ __typename } ${fan('__Type')} fragment F180 on __Type { name }`],
    [
      'thirty fragments that all lead to one another',
      `{ providers { ...F0 } } ${NAMES.map((name) => `fragment ${name} on Provider { ${NAMES.map((other) => `...${other}`).join(' ')} }`).join(' ')}`,
    ],
    ['one field again and again', `{ ${many(1_990, () => '__typename')} }`],
    ['one object again and again', `{ ${many(490, () => 'gateway { version }')} }`],
    [
      'objects with objects again and again',
      `{ ${many(30, () => `providers { ${many(15, () => 'breaker { state }')} }`)} }`,
    ],
    ['as many objects as there may be', `{ ${many(REPEATS_MAX / 2 + 1, () => 'gateway { version }')} }`],
    [
      'one object in many fragments',
      `{ ${many(120, (index) => `...F${index}`)} } ${many(120, (index) => `fragment F${index} on Query { gateway { version } }`)}`,
    ],
    [
      'fragments with nothing in common',
      `{ ${many(150, (index) => `...F${index}`)} } ${many(150, (index) => `fragment F${index} on Query { f${index} }`)}`,
    ],
    [
      'one object with many arguments, twice',
      `{ ${many(2, () => `requests(${many(300, (index) => `a${index}: 1`)}) { nodes { id } }`)} }`,
    ],
    [
      'operations, each with all fragments',
      `${many(150, (index) => `query Q${index} { ...F }`)} fragment F on Query { __typename }`,
    ],
    ['variables that nobody declared', `{ ${many(180, (index) => `node(id: $v${index}) { id }`)} }`],
    ['a list within lists', `{ node(id: ${'['.repeat(900)}${']'.repeat(900)}) { id } }`],
  ])('%s', (_name, text) => {
    const documents = makeDocuments();
    const startedAtMs = performance.now();
    documents.faultsOf(documents.parse(text));
    const tookMs = performance.now() - startedAtMs;
    expect(tookMs).toBeLessThan(REFUSED_MS_MAX);
  });
});

test('docs/graphql.md has every limit', () => {
  const page = readFileSync(new URL('../../docs/graphql.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| .*? \| ([\d,]+).*? \| `[A-Z_]+` \|$/gm)];
  const shown = rows.map(([, figure = '']) => Number(figure.replace(',', '')));
  const { memberListsMax: _lists, introspectionDepthMax, ...limits } = DOCUMENT_LIMITS;
  const once = [...Object.values(limits), introspectionDepthMax, REPEATS_MAX, 1];
  expect(shown.toSorted((one, other) => one - other)).toEqual(once.toSorted((one, other) => one - other));
});
