import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type ExecutionResult, graphql, parse, subscribe } from 'graphql';
import { describe, expect, test } from 'vitest';
import { requestId } from '../../src/core/ids.ts';
import { ADMIN_CALLER, type Caller, NOBODY, OPEN_CALLER } from '../../src/gateway/caller.ts';
import { guarded, parseAccess } from '../../src/graphql/access.ts';
import { makeContext } from '../../src/graphql/context.ts';
import { schema } from '../../src/graphql/schema.ts';
import { NO_SPAN } from '../../src/telemetry/no-traces.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeFakeGateway } from '../fakes/gateway.ts';
import { keyed } from '../support/callers.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs', 'graphql.md');

function contextOf(caller: Caller) {
  return makeContext({
    span: NO_SPAN,
    gateway: makeFakeGateway(),
    caller,
    requestId: requestId(newUuid()),
    signal: new AbortController().signal,
  });
}

async function ask(caller: Caller, source: string): Promise<ExecutionResult> {
  return graphql({ schema, source, contextValue: contextOf(caller) });
}

function codesIn(result: unknown): readonly unknown[] {
  const { errors } = result as ExecutionResult;
  return errors?.map(({ extensions }) => extensions.code) ?? [];
}

const RESET = 'mutation { resetBreaker(input: { providerId: "openai" }) { __typename } }';

test('docs/graphql.md says of every root field what the schema asks for', () => {
  const told = readFileSync(DOCS, 'utf8').matchAll(/^\| `(\w+\.\w+)` \| `([^`]+)` \|$/gm);
  const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((root) =>
    Object.values(root!.getFields()).map((field) => [`${root!.name}.${field.name}`, field.extensions.access]),
  );
  expect(Array.from(told, ([, field, access]) => [field, access]).toSorted()).toEqual(fields.toSorted());
});

test('a root field that does not say who may call it is found when the schema is built', () => {
  expect(() => guarded(buildSchema('type Query { open: String }'))).toThrow('Query.open does not say');
});

test.each(['', 'everybody', 'own', 'own, or', 'own, or nothing', 'requests:write', null, true])(
  '%j is no rule',
  (text) => {
    expect(parseAccess(text)).toBeNull();
  },
);

test('how much of a provider is used is told to who may see all; to others whether anything is left', async () => {
  const usedFor = async (caller: Caller) => {
    const { data } = await ask(caller, '{ provider(id: "openai") { rateLimit { used remaining } } }');
    return JSON.parse(JSON.stringify(data)).provider.rateLimit;
  };
  expect((await usedFor(OPEN_CALLER)).used).toBeGreaterThan(0);
  expect(await usedFor(keyed(['requests:read-all']))).toEqual(await usedFor(OPEN_CALLER));
  expect(await usedFor(keyed(['chat', 'requests:read']))).toEqual({ used: 0, remaining: 100 });
});

describe('who may call a field', () => {
  test('nobody may call anything', async () => {
    expect(codesIn(await ask(NOBODY, '{ gateway { version } }'))).toEqual(['UNAUTHENTICATED']);
    expect(codesIn(await ask(NOBODY, RESET))).toEqual(['UNAUTHENTICATED']);
    const watch = parse('subscription { breakerEvents { epoch } }');
    expect(codesIn(await subscribe({ schema, document: watch, contextValue: contextOf(NOBODY) }))).toEqual([
      'UNAUTHENTICATED',
    ]);
  });

  test('a key may call what its scopes allow, and is told which one is missing', async () => {
    const reader = keyed(['requests:read']);
    expect(codesIn(await ask(reader, '{ gateway { version } requests { nodes { id } } }'))).toEqual([]);
    const refused = await ask(reader, RESET);
    expect(codesIn(refused)).toEqual(['FORBIDDEN']);
    expect(refused.errors![0]!.message).toContain('`resetBreaker` needs the scope providers:admin');
    expect(codesIn(await ask(keyed(['providers:admin']), RESET))).toEqual([]);
  });

  test('with authentication off everybody may call everything, as the operator may', async () => {
    for (const caller of [OPEN_CALLER, ADMIN_CALLER]) {
      expect(codesIn(await ask(caller, RESET))).toEqual([]);
      expect(codesIn(await ask(caller, '{ budgets { nodes { id } } budget(userId: "bob") { id } }'))).toEqual([]);
    }
  });
});

describe("a budget is its user's own", () => {
  const alice = keyed(['chat'], { userId: 'alice' });

  test('any key reads that of its own user, named or not', async () => {
    const { data } = await ask(alice, '{ budget { userId } named: budget(userId: "alice") { userId } }');
    expect(data).toEqual({ budget: { userId: 'alice' }, named: { userId: 'alice' } });
  });

  test("others' need a scope; by its id nothing says that there is one", async () => {
    expect(codesIn(await ask(alice, '{ budget(userId: "bob") { id } }'))).toEqual(['FORBIDDEN']);
    expect((await ask(alice, '{ node(id: "bud_bob") { id } own: node(id: "bud_alice") { id } }')).data).toEqual({
      node: null,
      own: { id: 'bud_alice' },
    });
    const reader = keyed(['budgets:read'], { userId: 'alice' });
    expect((await ask(reader, '{ budget(userId: "bob") { id } node(id: "bud_bob") { id } }')).data).toEqual({
      budget: { id: 'bud_bob' },
      node: { id: 'bud_bob' },
    });
  });
});
