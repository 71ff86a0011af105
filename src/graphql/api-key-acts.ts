import type { CreatedKey, RevokedKey, RotatedKey } from '../gateway/key-directory.ts';
import { ERROR_TYPES, InvalidInputErrorRef, NotFoundErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { DAY_MS } from './duration.ts';
import { unrecorded } from './failure-shape.ts';
import { ApiKeyRef } from './refs.ts';

const SCOPES_DEFAULT = ['chat'];

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A key to make.',
  fields: (t) => ({
    name: t.string({ description: 'Name for people.', required: true }),
    scopes: t.stringList({
      description:
        'What it may do, such as `chat`, `chat:on-behalf-of`, `requests:read`, `budgets:write`, `chaos:write`, `admin`.',
      defaultValue: SCOPES_DEFAULT,
    }),
    userId: t.string({ description: 'The user it bills by default.' }),
    teamId: t.string({ description: 'The team that pays along.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it stops working.' }),
    requestsPerMinute: t.int({ description: 'Most requests a minute.' }),
    tokensPerMinute: t.int({ description: 'Most tokens a minute, input and output together.' }),
    concurrency: t.int({ description: 'Most requests at once.' }),
  }),
});

const CreateApiKeySuccess = builder.objectRef<CreatedKey>('CreateApiKeySuccess').implement({
  description: 'The key works now.',
  fields: (t) => ({
    apiKey: t.expose('key', { type: ApiKeyRef, description: 'The key.' }),
    secret: t.exposeString('secret', { description: 'The secret. It is never shown again.' }),
  }),
});

const CreateApiKeyResult = builder.unionType('CreateApiKeyResult', {
  description: 'Outcome of `createApiKey`.',
  types: [CreateApiKeySuccess, InvalidInputErrorRef],
  resolveType: ({ kind }) => (kind === 'created' ? 'CreateApiKeySuccess' : ERROR_TYPES[kind]),
});

builder.mutationField('createApiKey', (t) =>
  t.field({
    type: CreateApiKeyResult,
    description: 'Creates an API key. The secret is shown once, here. Needs scope `keys:write`.',
    extensions: { access: 'keys:admin' },
    args: {
      input: t.arg({ type: CreateApiKeyInput, description: 'Name, scopes and limits of the key.', required: true }),
    },
    resolve: async (_root, { input }, { gateway, caller }) => {
      const wish = {
        name: input.name,
        scopes: input.scopes ?? SCOPES_DEFAULT,
        userId: input.userId ?? null,
        teamId: input.teamId ?? null,
        expiresAtMs: input.expiresAt ?? null,
        limits: {
          requestsPerMinute: input.requestsPerMinute ?? null,
          tokensPerMinute: input.tokensPerMinute ?? null,
          concurrency: input.concurrency ?? null,
        },
      };
      const answer = await gateway.createKey(wish, caller);
      return answer.kind === 'created' ? answer : unrecorded(answer);
    },
  }),
);

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'A key to revoke.',
  fields: (t) => ({ apiKeyId: t.id({ description: "The key's id.", required: true }) }),
});

const RevokeApiKeySuccess = builder.objectRef<RevokedKey>('RevokeApiKeySuccess').implement({
  description: 'The key no longer works, on any replica.',
  fields: (t) => ({ apiKey: t.expose('key', { type: ApiKeyRef, description: 'The key.' }) }),
});

const RevokeApiKeyResult = builder.unionType('RevokeApiKeyResult', {
  description: 'Outcome of `revokeApiKey`.',
  types: [RevokeApiKeySuccess, NotFoundErrorRef],
  resolveType: ({ kind }) => (kind === 'revoked' ? 'RevokeApiKeySuccess' : ERROR_TYPES[kind]),
});

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    type: RevokeApiKeyResult,
    description: 'Revokes an API key on every replica. Needs scope `keys:write`.',
    extensions: { access: 'keys:admin' },
    args: { input: t.arg({ type: RevokeApiKeyInput, description: 'Which key to revoke.', required: true }) },
    resolve: async (_root, { input }, { gateway, caller }) => {
      const answer = await gateway.revokeKey({ id: input.apiKeyId }, caller);
      return answer.kind === 'revoked' ? answer : unrecorded(answer);
    },
  }),
);

const RotateApiKeyInput = builder.inputType('RotateApiKeyInput', {
  description: 'A key to replace by the next one of its line.',
  fields: (t) => ({
    apiKeyId: t.id({ description: "The key's id.", required: true }),
    overlap: t.field({
      type: 'Duration',
      description: 'How long it works beside the next one, at most 30 days; null ends it at once.',
      defaultValue: DAY_MS,
    }),
  }),
});

const RotateApiKeySuccess = builder.objectRef<RotatedKey>('RotateApiKeySuccess').implement({
  description:
    'The next key works now. It may do what the one before may, and keeps its budget, its limits and its log.',
  fields: (t) => ({
    apiKey: t.expose('key', { type: ApiKeyRef, description: 'The next key.' }),
    replaced: t.expose('replaced', {
      type: ApiKeyRef,
      description: 'The key before, which works until its `revokedAt`.',
    }),
    secret: t.exposeString('secret', { description: 'The secret of the next key. It is never shown again.' }),
  }),
});

const RotateApiKeyResult = builder.unionType('RotateApiKeyResult', {
  description: 'Outcome of `rotateApiKey`.',
  types: [RotateApiKeySuccess, NotFoundErrorRef, InvalidInputErrorRef],
  resolveType: ({ kind }) => (kind === 'rotated' ? 'RotateApiKeySuccess' : ERROR_TYPES[kind]),
});

builder.mutationField('rotateApiKey', (t) =>
  t.field({
    type: RotateApiKeyResult,
    description:
      'Replaces an API key by the next one of its line; both work for a while. The secret is shown once, here. Needs scope `keys:write`.',
    extensions: { access: 'keys:admin' },
    args: { input: t.arg({ type: RotateApiKeyInput, description: 'Which key to replace.', required: true }) },
    resolve: async (_root, { input }, { gateway, caller }) => {
      const answer = await gateway.rotateKey({ id: input.apiKeyId, overlapMs: input.overlap ?? 0 }, caller);
      return answer.kind === 'rotated' ? answer : unrecorded(answer);
    },
  }),
);
