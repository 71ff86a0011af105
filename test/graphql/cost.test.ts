import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getIntrospectionQuery, getNullableType, getOperationAST, isListType, isObjectType, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { COST_MAX, costOf } from '../../src/graphql/cost.ts';
import { makeDocuments } from '../../src/graphql/documents.ts';
import { LIST_SIZES, PRICES } from '../../src/graphql/prices.ts';
import { schema } from '../../src/graphql/schema.ts';
import { GRAPHIQL_TABS } from '../../src/http/graphiql-tabs.ts';
import { ask, startService } from '../http/running-server.ts';

const ROOT = join(import.meta.dirname, '..', '..');

function costs(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (operation === null || operation === undefined) throw new RangeError(`which operation of ${text}?`);
  return costOf(schema, { document, operation, variables });
}

describe('an operation costs', () => {
  test('one for each object, nothing for the values in it', () => {
    expect(costs('{ gateway { version store replicas } }')).toBe(1);
    expect(costs('{ gateway { version } viewer { scopes budget { limitUsd } } }')).toBe(3);
    expect(costs('{ __typename }')).toBe(0);
  });

  test('a list as often as its page has items, wherever the page size is said', () => {
    const page = (of: string) => costs(`{ budgets${of} { nodes { id } } }`);
    const price = PRICES['Query.budgets'] ?? 0;
    expect(page('(first: 7)')).toBe(price + 1 + 7);
    expect(page('(last: 7)')).toBe(price + 1 + 7);
    expect(page('')).toBe(price + 1 + 50);
    expect(page('(first: 1000000)')).toBe(price + 1 + 200);
    const paged = (definition: string, variables: Record<string, unknown>) =>
      costs(`query (${definition}) { budgets(first: $size) { edges { node { id } } } }`, variables);
    expect(paged('$size: Int', { size: 3 })).toBe(price + 1 + 3 * 2);
    expect(paged('$size: Int = 4', {})).toBe(price + 1 + 4 * 2);
    expect(paged('$size: Int', {})).toBe(price + 1 + 50 * 2);
    expect(paged('$size: Int', { size: 'many' })).toBe(price + 1 + 50 * 2);
    expect(costs('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['a', 'b', 'c'] })).toBe(3);
    expect(costs('{ nodes(ids: ["a", "b"]) { id } }')).toBe(2);
  });

  test('the same in fragments, as often as they are spread', () => {
    const whole = costs(
      '{ a: requests(first: 5) { nodes { cost { totalUsd } } } b: requests(first: 9) { nodes { cost { totalUsd } } } }',
    );
    const fragment = 'fragment Page on RequestConnection { ... on RequestConnection { nodes { cost { totalUsd } } } }';
    expect(costs(`{ a: requests(first: 5) { ...Page } b: requests(first: 9) { ...Page } } ${fragment}`)).toBe(whole);
  });

  test('lists within lists what they multiply to', () => {
    expect(
      costs('{ requests { nodes { routing { candidates { provider { models { provider { key } } } } } } } }'),
    ).toBeGreaterThan(COST_MAX);
    expect(
      costs('{ providers { stats { requests } breaker { events(first: 200) { nodes { id } } } } }'),
    ).toBeGreaterThan(COST_MAX);
  });
});

describe('what is honestly asked fits', () => {
  test.each(GRAPHIQL_TABS.map(({ query }) => [/(?:query|mutation|subscription) \w+/.exec(query)?.[0] ?? query, query]))(
    'GraphiQL: %s',
    (_name, query) => expect(costs(query)).toBeLessThanOrEqual(COST_MAX / 2),
  );

  test('what every tool asks of the schema', () => {
    expect(costs(getIntrospectionQuery())).toBeLessThanOrEqual(COST_MAX);
  });

  test('every document of the documents', () => {
    const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).map((page) =>
      readFileSync(join(ROOT, page), 'utf8'),
    );
    const blocks = pages.flatMap((text) =>
      [...text.matchAll(/^```graphql\n(.*?)^```/gms)].map(([, block = '']) => block),
    );
    expect(blocks.length).toBeGreaterThan(3);
    const documents = makeDocuments();
    for (const block of blocks.filter((text) => !text.startsWith('...'))) {
      expect(documents.faultsOf(documents.parse(block))).toEqual([]);
      expect(costs(block), block).toBeLessThanOrEqual(COST_MAX);
    }
  });

  test('all that a control room shows: numbers and series, breakers, budgets, a page of requests, and one with its plan', () => {
    const METRICS =
      'requests succeeded failed costUsd latency { p50Ms p95Ms p99Ms } overhead { p50Ms } timeToFirstToken { p50Ms }';
    const ROOM = `query Room { gateway { version replicas } viewer { scopes budget { remainingUsd } }
      providers { key health breaker { state nextProbeAt } rateLimit { remaining } simulation { mode } models { name } }
      budgets(first: 20) { nodes { userId spentUsd limitUsd } pageInfo { endCursor } }
      requests(first: 50) { nodes { id status userId modelName provider { key } cost { totalUsd } timing { totalMs } usage { inputTokens } error { code message } routing { summary } } pageInfo { endCursor } } }`;
    const NUMBERS = `query Numbers { analytics(groupBy: [PROVIDER], limit: 50) { totals { ${METRICS} } groups { keys { value } metrics { ${METRICS} } } series { at metrics { ${METRICS} } } } }`;
    const ONE = `query One { request(id: "req_1") { routing { summary candidates { provider { key } scoreTerms { name value } rejection { reason } } attempts { provider { key } outcome } } error { ... on BudgetExceededError { budget { limitUsd } } } } }`;
    const TICKS = `subscription Ticks { analyticsTicks { totals { ${METRICS} } providers { provider { key } metrics { ${METRICS} } } } }`;
    const EVENTS =
      'subscription Events { requestEvents { kind request { id provider { key } routing { summary candidates { provider { key } rejection { reason } } } } attempt { provider { key } } } }';
    const documents = makeDocuments();
    for (const text of [ROOM, NUMBERS, ONE, TICKS, EVENTS]) {
      expect(documents.faultsOf(documents.parse(text))).toEqual([]);
      expect(costs(text), text).toBeLessThanOrEqual(COST_MAX);
    }
  });
});

test('every place that has a price or a size is in the schema', () => {
  const fieldOf = (place: string) => {
    const [typeName = '', fieldName = ''] = place.split('.');
    const type = schema.getType(typeName);
    return isObjectType(type) ? type.getFields()[fieldName] : undefined;
  };
  for (const place of Object.keys(PRICES)) expect(fieldOf(place), place).toBeDefined();
  for (const place of Object.keys(LIST_SIZES))
    expect(isListType(getNullableType(fieldOf(place)?.type)), place).toBe(true);
});

describe('at the door', () => {
  const DEAR =
    'query ($size: Int) { requests(first: $size) { nodes { routing { candidates { provider { key } } } } } }';

  test('every answer says what its operation may cost', async () => {
    await using service = await startService();
    const { extensions } = await ask(service, '{ viewer { budget { limitUsd } } }');
    expect(extensions).toMatchObject({ cost: { requested: 2, limit: COST_MAX } });
  });

  test('what costs too much is refused with the figures, before anything of it is looked up', async () => {
    await using service = await startService();
    const { status, errors, data, extensions } = await ask(
      service,
      DEAR,
      { size: 200 },
      { headers: { accept: 'application/json' } },
    );
    const cost = { requested: costs(DEAR, { size: 200 }), limit: COST_MAX };
    expect([status, data]).toEqual([400, undefined]);
    expect(errors).toMatchObject([
      { message: expect.stringContaining(`may cost ${cost.requested}`), extensions: { code: 'COST_TOO_HIGH', cost } },
    ]);
    expect(extensions).toMatchObject({ cost });
    expect((await ask(service, DEAR, { size: 5 })).status).toBe(200);
  });
});
