import type { KeyDirectory } from '../gateway/key-directory.ts';
import { builder } from './builder.ts';
import { makeConnection } from './connection.ts';
import { pageArgs, pageOrThrow, parsePage } from './page.ts';

type AuditPage = Extract<Awaited<ReturnType<KeyDirectory['pageAudit']>>, { readonly kind: 'page' }>['page'];

const AuditEntryRef = builder.objectRef<AuditPage['items'][number]['item']>('AuditEntry').implement({
  description: 'One administrative act.',
  fields: (t) => ({
    id: t.id({ description: 'Its place in the log; grows with time.', resolve: ({ sequence }) => String(sequence) }),
    at: t.expose('atMs', { type: 'DateTime', description: 'When it was done.' }),
    actor: t.exposeString('actor', {
      description:
        'Who did it: `key:` and the id of an API key, `admin` for the operator, `open` without authentication.',
    }),
    act: t.exposeString('act', { description: 'What was done, by the name of its mutation.' }),
    subject: t.exposeString('target', {
      description:
        'To what: the key of a provider, an account, or `key:` and the id of an API key; `*` for all providers.',
    }),
    reason: t.exposeString('reason', { description: 'Why, if it was said.', nullable: true }),
    detail: t.field({ type: 'JSON', description: 'Its particulars.', resolve: ({ detail }) => detail }),
  }),
});

const AuditEntryConnection = makeConnection('AuditEntry', AuditEntryRef, {
  page: 'Page of administrative acts.',
  edges: 'Acts with their cursors.',
  nodes: 'The acts alone.',
  pageInfo: 'Where this page ends.',
  edge: 'An administrative act and its cursor.',
  cursor: 'Cursor of this act.',
  node: 'The act.',
});

builder.queryField('auditLog', (t) =>
  t.field({
    type: AuditEntryConnection,
    description: 'All administrative acts, newest first. Needs scope `admin`.',
    extensions: { access: 'admin' },
    args: pageArgs(),
    resolve: async (_root, page, { gateway }) => pageOrThrow(await gateway.pageAudit(parsePage(page))),
  }),
);
