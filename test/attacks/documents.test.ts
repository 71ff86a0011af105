import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, EVIL_CHAT, many, send } from './send.ts';
import { openTarget, REPLY_BYTES_MAX, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const LONG = 'x'.repeat(900_000);
const fan = (type: string, count: number) =>
  many(count, (index) => `fragment F${index} on ${type} { ...F${index + 1} ...F${index + 1} }`);
const circle = many(30, (index) => `fragment F${index} on Provider { ${many(30, (other) => `...F${other}`)} }`);
const nested = (depth: number) =>
  `{ providers { ${'models { provider { '.repeat(depth)} key ${'} }'.repeat(depth)} } }`;
const DEAR = 'requests(first: 200) { nodes { routing { candidates { provider { key } } } } }';

/** What is sent as a document, and the code that must come. */
const DOCUMENTS: readonly (readonly [name: string, document: string, code: string])[] = [
  ['a hundred aliases', `{ ${many(100, (index) => `a${index}: gateway { version }`)} }`, 'TOO_MANY_ALIASES'],
  [
    'aliases that fragments multiply',
    `{ ...F ...G } fragment F on Query { ...G ...H } fragment G on Query { ...H ...H } fragment H on Query { ${many(5, (index) => `a${index}: __typename`)} }`,
    'TOO_MANY_ALIASES',
  ],
  ['ten thousand aliases', `{ ${many(10_000, (index) => `a${index}: gateway { version }`)} }`, 'TOO_MANY_TOKENS'],
  ['fourteen chats', `mutation { ${many(14, (index) => `c${index}: ${EVIL_CHAT}`)} }`, 'TOO_MANY_PAID_MUTATIONS'],
  ['two hundred chats', `mutation { ${many(200, (index) => `c${index}: ${EVIL_CHAT}`)} }`, 'TOO_MANY_TOKENS'],
  [
    'a second chat in a fragment',
    `mutation { ${EVIL_CHAT} ...F } fragment F on Mutation { b: ${EVIL_CHAT} }`,
    'TOO_MANY_PAID_MUTATIONS',
  ],
  ['a chat in a query', `query { ${EVIL_CHAT} }`, 'GRAPHQL_VALIDATION_FAILED'],
  ['forty fields deep', nested(20), 'TOO_DEEP'],
  ['five hundred fields deep', nested(250), 'TOO_DEEP'],
  ['two hundred thousand fields deep', '{a'.repeat(200_000), 'TOO_MANY_TOKENS'],
  [
    'a depth that fragments hide',
    `{ providers { ...F0 } } ${many(20, (index) => `fragment F${index} on Provider { models { provider { ...F${index + 1} } } }`)} fragment F20 on Provider { key }`,
    'TOO_DEEP',
  ],
  ['half a million braces', '{'.repeat(500_000), 'GRAPHQL_PARSE_FAILED'],
  [
    'brackets within brackets',
    `{ node(id: ${'['.repeat(950)}${']'.repeat(950)}) { id } }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['a thousand directives', `{ gateway { version ${many(400, '@include(if: true)')} } }`, 'TOO_MANY_TOKENS'],
  ['thirty directives', `{ gateway { version ${many(30, '@include(if: true)')} } }`, 'TOO_MANY_DIRECTIVES'],
  [
    'directives that nobody knows',
    `{ gateway { version ${many(20, (index) => `@d${index}`)} } }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'directives on variables',
    `query (${many(30, (index) => `$v${index}: Int @d`)}) { gateway { version } }`,
    'TOO_MANY_DIRECTIVES',
  ],
  [
    'a fragment within itself',
    '{ providers { ...F } } fragment F on Provider { key ...F }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a circle of two fragments',
    '{ providers { ...F } } fragment F on Provider { ...G } fragment G on Provider { ...F }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['thirty fragments that all lead to one another', `{ providers { ...F0 } } ${circle}`, 'TOO_MANY_FIELDS'],
  [
    'fragments that double 150 times',
    `{ providers { ...F0 } } ${fan('Provider', 150)} fragment F150 on Provider { key }`,
    'TOO_MANY_FIELDS',
  ],
  [
    'the same in introspection',
    `{ __schema { ...F0 } } ${fan('__Schema', 150)} fragment F150 on __Schema { __typename }`,
    'TOO_MANY_FIELDS',
  ],
  [
    'the same where nobody spreads it',
    `{ __typename } ${fan('__Type', 150)} fragment F150 on __Type { name }`,
    'TOO_MANY_FIELDS',
  ],
  ['one field two thousand times', `{ ${many(1_990, '__typename')} }`, 'TOO_MANY_FIELDS'],
  ['one object five hundred times', `{ ${many(490, 'gateway { version }')} }`, 'TOO_MANY_FIELDS'],
  ['twenty thousand words', `{ ${many(20_000, '__typename')} }`, 'TOO_MANY_TOKENS'],
  ['a comment of 900 kB', `#${LONG}\n{`, 'GRAPHQL_PARSE_FAILED'],
  [
    'the schema multiplied with itself',
    '{ __schema { types { fields { type { fields { type { name } } } } } } }',
    'TOO_DEEP',
  ],
  [
    'ten schemas',
    `{ ${many(10, (index) => `s${index}: __schema { types { fields { args { type { name } } } } }`)} }`,
    'COST_TOO_HIGH',
  ],
  [
    'a type that is followed thirty times',
    `{ __type(name: "Query") { ${'ofType { '.repeat(30)} name ${'}'.repeat(30)} } }`,
    'TOO_DEEP',
  ],
  ['an alias of 900 kB', `{ ${LONG}: __typename }`, 'NAME_TOO_LONG'],
  ['a field of 900 kB', `{ ${LONG} }`, 'NAME_TOO_LONG'],
  ['an operation of 900 kB', `query ${LONG} { __typename }`, 'NAME_TOO_LONG'],
  [
    'a text of 900 kB where none belongs',
    `{ budgets(first: "${LONG}") { nodes { id } } }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a number of 900,000 digits',
    `{ budgets(first: ${'9'.repeat(900_000)}) { nodes { id } } }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['150 faults at once', `{ ${many(150, (index) => `nobody${index}`)} }`, 'GRAPHQL_VALIDATION_FAILED'],
  [
    '900 variables that nobody declared',
    `{ budgets(first: ${many(1, '$a')}) { nodes { id } } node(id: [${many(900, (index) => `$v${index}`)}]) { id } }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['lists within lists within lists', `{ ${DEAR} }`, 'COST_TOO_HIGH'],
  [
    'fifteen times the dearest page',
    `{ ${many(15, (index) => `a${index}: requests(first: 200) { nodes { id } }`)} }`,
    'COST_TOO_HIGH',
  ],
  ['a page of four billion', '{ budgets(first: 4294967296) { nodes { id } } }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    'two subscriptions in one',
    'subscription { breakerEvents { id } requestEvents { kind } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
];

test.each(DOCUMENTS)('%s', async (_name, document, code) => {
  const { status, text } = await ask(target, document);
  expect(codesOf(text)).toEqual(expect.arrayContaining([code]));
  expect(Buffer.byteLength(text)).toBeLessThan(REPLY_BYTES_MAX);
  expect([200, 400]).toContain(status);
  await target.expectUnharmed();
});

const INPUT = 'mutation ($input: ChatInput!) { chat(input: $input) { ... on ApiError { code } } }';
const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const body = (query: string, variables: string) => `{"query":${JSON.stringify(query)},"variables":${variables}}`;
const chat = (more: string) => body(INPUT, `{"input":{"prompt":"evil","userId":"mallory",${more}}}`);

/** What is sent as a body, and what must come. */
const BODIES: readonly (readonly [name: string, body: string, says: RegExp])[] = [
  [
    'a page size that is infinite',
    body('query ($n: Int) { budgets(first: $n) { nodes { id } } }', '{"n":1e400}'),
    /INVALID_INPUT/,
  ],
  [
    'a page size that hides in a variable',
    body(`query ($n: Int) { ${DEAR.replace('200', '$n')} }`, '{"n":200}'),
    /COST_TOO_HIGH/,
  ],
  ['metadata a hundred thousand levels deep', chat(`"metadata":${deep(100_000)}`), /INVALID_INPUT/],
  [
    'a schema a hundred thousand levels deep',
    chat(`"responseFormat":{"type":"JSON_SCHEMA","jsonSchema":{"name":"x","schema":${deep(100_000)}}}`),
    /INVALID_INPUT/,
  ],
  [
    'lists a hundred thousand levels deep',
    chat(`"stop":${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    /INVALID_INPUT/,
  ],
  ['an amount with an endless exponent', chat('"maxCostUsd":"1e999999999"'), /INVALID_INPUT/],
  ['an amount of 900,000 digits', chat(`"maxCostUsd":"${'9'.repeat(900_000)}"`), /INVALID_INPUT/],
  ['a temperature that is no number', chat('"temperature":1e999'), /INVALID_INPUT/],
  ['a time limit that overflows', chat('"timeoutMs":2147483647'), /INVALID_INPUT/],
  [
    'a duration of a billion years',
    body('query ($w: TimeWindowInput) { analytics(window: $w) { from } }', '{"w":{"last":"P99999999999999999999D"}}'),
    /INVALID_INPUT/,
  ],
  ['a field of the prototype', chat('"__proto__":{"isAdmin":true}'), /INVALID_INPUT/],
  ['a constructor', chat('"constructor":{"prototype":{"isAdmin":true}}'), /INVALID_INPUT/],
  ['labels that are called as the prototype is', chat('"metadata":{"__proto__":{"isAdmin":true}}'), /INVALID_INPUT/],
  ['a NUL in the name of a user', chat('"userId":"mal\\u0000lory"'), /INVALID_INPUT/],
  ['half a character in the name of a user', chat('"userId":"mal\\ud800lory"'), /INVALID_INPUT/],
  [
    'an operation called as the prototype is',
    '{"query":"query A { __typename } query B { __typename }","operationName":"__proto__"}',
    /OPERATION_RESOLUTION_FAILURE/,
  ],
  ['a document by the name of the prototype', '{"documentId":"__proto__"}', /PERSISTED_DOCUMENT_NOT_FOUND/],
  ['variables that are a list', '{"query":"{ __typename }","variables":[1]}', /BAD_REQUEST/],
  ['a query that is an object', '{"query":{"toString":"x"}}', /BAD_REQUEST/],
  ['a parameter of 900 kB', `{"query":"{ __typename }","${LONG}":1}`, /BAD_REQUEST/],
  [
    'ten operations, none of them named',
    `{"query":"${many(10, (index) => `query Q${index} { __typename }`)}"}`,
    /OPERATION_RESOLUTION_FAILURE/,
  ],
];

test.each(BODIES)('%s', async (_name, text, says) => {
  const reply = await send(target, text);
  expect(reply.text).toMatch(says);
  expect(Buffer.byteLength(reply.text)).toBeLessThan(REPLY_BYTES_MAX);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  await target.expectUnharmed();
});

test('what tools ask of the schema is no attack', async () => {
  const { status, text } = await ask(target, getIntrospectionQuery());
  expect(status).toBe(200);
  expect(text).not.toContain('"errors"');
});

function codesOf(text: string): readonly unknown[] {
  return JSON.parse(text).errors?.map((error: { extensions: { code: unknown } }) => error.extensions.code);
}
