import { parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { DepthLimit, DOCUMENT_LIMITS } from '../../src/graphql/depth-limit.ts';
import { OnePaidMutation } from '../../src/graphql/one-paid-mutation.ts';
import { schema } from '../../src/graphql/schema.ts';

const CHAT = 'chat(input: { prompt: "hi" }) { __typename }';

function codesOf(document: string): readonly unknown[] {
  return validate(schema, parse(document), [OnePaidMutation, DepthLimit]).map((error) => error.extensions.code);
}

describe('one operation spends money at most once', () => {
  test.each([
    ['one chat', `mutation { ${CHAT} }`],
    ['one chat beside free mutations', `mutation { ${CHAT} resetBreaker(input: { providerId: "x" }) { __typename } }`],
    ['the same chat twice, which runs once', `mutation { a: ${CHAT} a: ${CHAT} }`],
    ['two operations with one chat each', `mutation A { ${CHAT} } mutation B { ${CHAT} }`],
    ['a fragment that is not used', `mutation { ${CHAT} } fragment F on Mutation { b: ${CHAT} }`],
    ['a fragment that leads back to itself', `mutation { ...F } fragment F on Mutation { ${CHAT} ...F }`],
  ])('%s is taken', (_name, document) => {
    expect(codesOf(document)).toEqual([]);
  });

  test.each([
    ['two aliases', `mutation { a: ${CHAT} b: ${CHAT} }`],
    [
      'two hundred aliases',
      `mutation { ${Array.from({ length: 200 }, (_, index) => `c${index}: ${CHAT}`).join(' ')} }`,
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

describe('a document nests only so deep', () => {
  const nested = (depth: number) =>
    `{ providers { ${'models { provider { '.repeat(depth / 2)} key ${'} }'.repeat(depth / 2)} } }`;

  test('what a page shows at once fits; going in circles does not', () => {
    expect(codesOf(nested(DOCUMENT_LIMITS.depthMax - 3))).toEqual([]);
    expect(codesOf(nested(DOCUMENT_LIMITS.depthMax + 1))).toEqual(['TOO_DEEP']);
  });

  test('fragments hide no depth', () => {
    const chain = Array.from(
      { length: 20 },
      (_, index) => `fragment F${index} on Provider { models { provider { ...F${index + 1} } } }`,
    );
    expect(codesOf(`{ providers { ...F0 } } ${chain.join(' ')} fragment F20 on Provider { key }`)).toEqual([
      'TOO_DEEP',
    ]);
  });

  test('fragments that fan out cost no more time than they have text', () => {
    const chain = Array.from(
      { length: 60 },
      (_, index) => `fragment F${index} on Provider { ...F${index + 1} ... { ...F${index + 1} } }`,
    );
    expect(codesOf(`{ providers { ...F0 } } ${chain.join(' ')} fragment F60 on Provider { key }`)).toEqual([]);
  });

  test('introspection, which nests by nature, is left alone', () => {
    const types = `{ name ${'ofType { '.repeat(20)} name ${'}'.repeat(20)} }`;
    expect(codesOf(`{ __schema { types ${types} } }`)).toEqual([]);
  });
});
