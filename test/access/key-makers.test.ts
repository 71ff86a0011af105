import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { apiKeyId, requestId } from '../../src/core/ids.ts';
import { SCOPES, type Scope } from '../../src/core/scope.ts';
import { ADMIN_CALLER, type Caller } from '../../src/gateway/caller.ts';
import { makeContext } from '../../src/graphql/context.ts';
import { apiKeyGlobalId, budgetGlobalId, requestGlobalId } from '../../src/graphql/global-id.ts';
import { schema } from '../../src/graphql/schema.ts';
import { NO_SPAN } from '../../src/telemetry/no-traces.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { keyed } from '../support/callers.ts';
import { CALLERS, makeScene, type Scene } from './scene.ts';

const OWN: readonly Scope[] = ['chat', 'requests:read', 'keys:admin'];

/** Who manages the keys of A's user, and nothing else. */
const MANAGER = keyed(OWN, { id: apiKeyId('keyOfManager'), userId: 'user-of-a' });

const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename
  ... on CreateApiKeySuccess { secret } ... on InvalidInputError { issues { path } } } }`;
const ROTATE = `mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { __typename
  ... on RotateApiKeySuccess { secret } ... on InvalidInputError { issues { path } } } }`;
const CHAT = `mutation ($userId: String) { chat(input: { prompt: "x", routing: { only: ["b"] }, userId: $userId }) { __typename } }`;
/** All that could tell of somebody else's requests, money and use. */
const LOOK = `query ($request: ID!, $budget: ID!) {
  requests(first: 200) { nodes { id userId metadata apiKey { id } } }
  analytics(window: { last: "PT1H" }, groupBy: [USER, API_KEY]) { groups { keys { value } metrics { requests } } }
  nodes(ids: [$request, $budget]) { id }
  viewer { userId apiKey { id line } budget { id } }
  budget { id } }`;

async function makeManagedScene() {
  const scene = await makeScene();
  const { store } = scene.kit;
  for (const { key } of [MANAGER]) {
    await store.createKey({ ...key, hash: `of ${key.id}` }, { name: 'admin', reason: null });
  }
  const ask = async (caller: Caller, source: string, variableValues: object) => {
    const id = requestId(newUuid());
    const { gateway } = scene.kit;
    const contextValue = makeContext({
      gateway,
      caller,
      requestId: id,
      signal: new AbortController().signal,
      span: NO_SPAN,
    });
    return graphql({ schema, source, contextValue, variableValues: { ...variableValues } });
  };
  /** Of a mutation that answers with the secret of a key. */
  const secretOf = async (source: string, input: object) => {
    const { data } = await ask(MANAGER, source, { input });
    const [answer] = Object.values(data ?? {});
    return (answer as { readonly secret?: string }).secret ?? null;
  };
  return Object.assign(scene, { ask, secretOf, [Symbol.asyncDispose]: () => scene.kit[Symbol.asyncDispose]() });
}

async function keysIn({ kit }: Scene) {
  const answer = await kit.gateway.pageKeys({ size: 200, direction: 'forward', cursor: null });
  return answer.kind === 'page' ? answer.page.items.map(({ item }) => item) : [];
}

test('who manages keys gets hold of none that may do more than they may, or that spends or reads what is not theirs', async () => {
  await using scene = await makeManagedScene();
  const { gateway } = scene.kit;
  const limits = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };
  const wish = { name: 'foreign', userId: null, teamId: null, expiresAtMs: null, limits };
  const foreign = await Promise.all(
    [
      { scopes: ['admin'] },
      { scopes: ['chat'] },
      { scopes: ['chat'], userId: 'user-of-b' },
      { scopes: ['chat', 'requests:read'], userId: 'user-of-a' },
      { scopes: ['chat'], teamId: 'team-of-b' },
    ].map((of) => gateway.createKey({ ...wish, ...of }, ADMIN_CALLER)),
  );
  const before = await keysIn(scene);
  const beyond = SCOPES.filter((scope) => ![...OWN, 'keys:read'].includes(scope));
  const wishes = [
    ...beyond.map((scope) => ({ scopes: ['chat', scope] })),
    ...['budgets:write', 'providers:write', 'chaos:write'].map((scope) => ({ scopes: [scope] })),
    { userId: 'user-of-b' },
    { userId: 'user-of-b', scopes: ['requests:read'] },
    { teamId: 'team-of-b' },
    // A key that pays by itself has a new budget.
    { scopes: OWN },
  ];
  for (const input of wishes) {
    expect([input, await scene.secretOf(CREATE, { name: 'greedy', ...input })]).toEqual([input, null]);
  }
  const ids = foreign.map((made) => (made.kind === 'created' ? made.key.id : CALLERS.B.key.id));
  for (const id of [...ids, CALLERS.A.key.id, CALLERS.B.key.id]) {
    const apiKeyId = apiKeyGlobalId(id);
    expect([id, await scene.secretOf(ROTATE, { apiKeyId })]).toEqual([id, null]);
  }
  expect(await keysIn(scene)).toEqual(before);
});

test('and those that they do get show nothing of B, and spend nothing of theirs', async () => {
  await using scene = await makeManagedScene();
  const target = await scene.targetOf('B');
  const fortune = await scene.fortuneOf('B');
  const secrets = [
    await scene.secretOf(CREATE, { name: 'for the same user', userId: 'user-of-a', scopes: OWN }),
    await scene.secretOf(ROTATE, { apiKeyId: apiKeyGlobalId(MANAGER.key.id) }),
  ];
  for (const secret of secrets) {
    const found = await scene.kit.gateway.authenticate(secret ?? '');
    if (found.kind !== 'known') throw new RangeError(`a key that does not work: ${found.why}`);
    const chatted = await scene.ask(found.caller, CHAT, {});
    expect(chatted.data).toEqual({ chat: { __typename: 'ChatSuccess' } });
    const refused = await scene.ask(found.caller, CHAT, { userId: 'user-of-b' });
    expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    const variables = {
      request: requestGlobalId(target.ended),
      budget: budgetGlobalId({ level: 'user', id: 'user-of-b' }),
    };
    const { data, errors } = await scene.ask(found.caller, LOOK, variables);
    expect(errors).toBeUndefined();
    expect(data?.nodes).toEqual([null, null]);
    const text = JSON.stringify(data);
    expect(scene.marksOf('B').filter((mark) => text.includes(mark))).toEqual([]);
  }
  expect(await scene.fortuneOf('B')).toEqual(fortune);
});
