import { expect, test } from 'vitest';
import { ask, startService } from '../http/running-server.ts';

const FIELDS = `id line name prefix scopes userId teamId requestsPerMinute tokensPerMinute concurrency
  createdAt lastUsedAt expiresAt revokedAt`;
const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename
  ... on CreateApiKeySuccess { secret apiKey { ${FIELDS} } }
  ... on InvalidInputError { code message issues { path message } } } }`;
const ROTATE = `mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { __typename
  ... on RotateApiKeySuccess { secret apiKey { ${FIELDS} } replaced { id revokedAt } }
  ... on ApiError { code message } ... on InvalidInputError { issues { path message } } } }`;
const REVOKE = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { __typename
  ... on RevokeApiKeySuccess { apiKey { id revokedAt } } ... on ApiError { code message } } }`;

test('a key is made with the defaults of the contract, listed, fetched by its id, and its secret is never told again', async () => {
  await using service = await startService();
  const { data } = await ask(service, CREATE, { input: { name: 'first' } });
  const { secret, apiKey } = data.createApiKey;
  expect(apiKey).toEqual({
    id: `key_${secret.slice(3, 15)}`,
    line: apiKey.id,
    name: 'first',
    prefix: secret.slice(0, 15),
    scopes: ['chat'],
    userId: null,
    teamId: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    concurrency: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
  });
  const read = await ask(
    service,
    `query ($id: ID!) { apiKeys(first: 1) { nodes { ${FIELDS} } pageInfo { hasNextPage } }
      node(id: $id) { id ... on ApiKey { ${FIELDS} } } auditLog { nodes { id at actor act subject reason detail } } viewer { apiKey { id } } }`,
    { id: apiKey.id },
  );
  expect(read.data).toMatchObject({
    apiKeys: { nodes: [apiKey], pageInfo: { hasNextPage: false } },
    node: apiKey,
    viewer: { apiKey: null },
    auditLog: {
      nodes: [
        {
          id: '1',
          at: '2026-01-01T00:00:00.000Z',
          actor: 'open',
          act: 'createApiKey',
          subject: `key:${apiKey.id.slice(4)}`,
          reason: null,
          detail: { name: 'first', scopes: ['chat'] },
        },
      ],
    },
  });
  expect(JSON.stringify([read, service.log])).not.toContain(secret.slice(16));
});

test('everything that was said of a key is kept, and a wish that cannot be is answered with every problem', async () => {
  await using service = await startService();
  const input = {
    name: 'search',
    scopes: ['chat', 'chaos:write'],
    userId: 'ann',
    teamId: 'red',
    expiresAt: '2026-02-01T00:00:00.000Z',
    requestsPerMinute: 60,
    tokensPerMinute: 100_000,
    concurrency: 5,
  };
  const made = await ask(service, CREATE, { input });
  expect(made.data.createApiKey.apiKey).toMatchObject({ ...input, scopes: ['chat', 'simulate'] });
  const wrong = { name: '', scopes: ['all'], expiresAt: '2025-01-01T00:00:00Z', concurrency: 0 };
  const refused = await ask(service, CREATE, { input: wrong });
  expect(refused.data.createApiKey).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
    issues: [{ path: ['name'] }, { path: ['scopes', '0'] }, { path: ['expiresAt'] }, { path: ['concurrency'] }],
  });
});

test('a key is rotated with an overlap of a day unless another is said, and revoked', async () => {
  await using service = await startService();
  const first = (await ask(service, CREATE, { input: { name: 'rotating', userId: 'ann' } })).data.createApiKey;
  const next = (await ask(service, ROTATE, { input: { apiKeyId: first.apiKey.id } })).data.rotateApiKey;
  expect(next).toMatchObject({
    apiKey: { line: first.apiKey.id, name: 'rotating', userId: 'ann', revokedAt: null },
    replaced: { id: first.apiKey.id, revokedAt: '2026-01-02T00:00:00.000Z' },
  });
  expect(next.secret).not.toBe(first.secret);
  const last = await ask(service, ROTATE, { input: { apiKeyId: next.apiKey.id, overlap: null } });
  expect(last.data.rotateApiKey.replaced.revokedAt).toBe('2026-01-01T00:00:00.000Z');
  const tooLong = await ask(service, ROTATE, { input: { apiKeyId: first.apiKey.id, overlap: '31d' } });
  expect(tooLong.data.rotateApiKey).toMatchObject({ __typename: 'InvalidInputError', issues: [{ path: ['overlap'] }] });
  const ended = await ask(service, ROTATE, { input: { apiKeyId: next.apiKey.id } });
  expect(ended.data.rotateApiKey).toMatchObject({ __typename: 'InvalidInputError', issues: [{ path: ['apiKeyId'] }] });
  const revoked = await ask(service, REVOKE, { input: { apiKeyId: first.apiKey.id } });
  expect(revoked.data.revokeApiKey.apiKey.revokedAt).toBe('2026-01-01T00:00:00.000Z');
  for (const document of [REVOKE, ROTATE]) {
    const { data } = await ask(service, document, { input: { apiKeyId: 'key_nobodyhas000' } });
    expect(Object.values(data)).toMatchObject([{ __typename: 'NotFoundError', code: 'NOT_FOUND' }]);
  }
});

test('keys and acts are paged both ways, newest first', async () => {
  await using service = await startService();
  for (const name of ['a', 'b', 'c']) await ask(service, CREATE, { input: { name } });
  const PAGE = `query ($first: Int, $after: String, $last: Int) {
    apiKeys(first: $first, after: $after, last: $last) { nodes { name } pageInfo { endCursor hasNextPage hasPreviousPage } }
    auditLog(first: $first, after: $after, last: $last) { nodes { detail } pageInfo { endCursor } } }`;
  const start = (await ask(service, PAGE, { first: 2 })).data;
  expect(start.apiKeys.nodes).toEqual([{ name: 'c' }, { name: 'b' }]);
  expect(start.auditLog.nodes).toMatchObject([{ detail: { name: 'c' } }, { detail: { name: 'b' } }]);
  expect(start.apiKeys.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  const rest = (await ask(service, PAGE, { first: 2, after: start.apiKeys.pageInfo.endCursor })).data;
  expect(rest.apiKeys.nodes).toEqual([{ name: 'a' }]);
  expect((await ask(service, PAGE, { last: 1 })).data.apiKeys.nodes).toEqual([{ name: 'a' }]);
  const { errors } = await ask(service, PAGE, { first: 1, after: 'nonsense' });
  expect(errors[0]?.extensions.code).toBe('INVALID_INPUT');
});
