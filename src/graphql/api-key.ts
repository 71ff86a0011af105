import { builder } from './builder.ts';
import { makeConnection } from './connection.ts';
import { apiKeyGlobalId } from './global-id.ts';
import { pageArgs, pageOrThrow, parsePage } from './page.ts';
import { ApiKeyRef, NodeRef } from './refs.ts';

ApiKeyRef.implement({ description: 'An API key.', interfaces: [NodeRef] });

builder.objectFields(ApiKeyRef, (t) => ({
  id: t.id({ description: 'Global id.', resolve: ({ id }) => apiKeyGlobalId(id) }),
  line: t.id({
    description:
      'The first key of its line. A key that was rotated keeps it, and with it its budget, its limits and its log.',
    resolve: ({ line }) => apiKeyGlobalId(line),
  }),
  name: t.exposeString('name', { description: 'Name for people.' }),
  prefix: t.exposeString('prefix', { description: 'Start of the secret, to recognise it.' }),
  scopes: t.stringList({ description: 'What it may do.', resolve: ({ scopes }) => [...scopes] }),
  userId: t.exposeString('userId', { description: 'The user it bills by default.', nullable: true }),
  teamId: t.exposeString('teamId', {
    description: 'The team that pays along; null when there is none.',
    nullable: true,
  }),
  requestsPerMinute: t.int({
    description: 'Most requests a minute; null without a limit.',
    nullable: true,
    resolve: ({ limits }) => limits.requestsPerMinute,
  }),
  tokensPerMinute: t.int({
    description: 'Most tokens a minute, input and output together; null without a limit.',
    nullable: true,
    resolve: ({ limits }) => limits.tokensPerMinute,
  }),
  concurrency: t.int({
    description: 'Most requests at once; null without a limit.',
    nullable: true,
    resolve: ({ limits }) => limits.concurrency,
  }),
  createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was made.' }),
  lastUsedAt: t.expose('lastUsedAtMs', {
    type: 'DateTime',
    description: 'When it was last used, to the minute.',
    nullable: true,
  }),
  expiresAt: t.expose('expiresAtMs', { type: 'DateTime', description: 'When it stops working.', nullable: true }),
  revokedAt: t.expose('revokedAtMs', { type: 'DateTime', description: 'When it was revoked.', nullable: true }),
}));

const ApiKeyConnection = makeConnection('ApiKey', ApiKeyRef, {
  page: 'Page of API keys.',
  edges: 'Keys with their cursors.',
  nodes: 'The keys alone.',
  pageInfo: 'Where this page ends.',
  edge: 'An API key and its cursor.',
  cursor: 'Cursor of this key.',
  node: 'The key.',
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description: 'API keys, newest first. Needs scope `keys:read`.',
    extensions: { access: 'keys:read' },
    args: pageArgs(),
    resolve: async (_root, page, { gateway }) => pageOrThrow(await gateway.pageKeys(parsePage(page))),
  }),
);
