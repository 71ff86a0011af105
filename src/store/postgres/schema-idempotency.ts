import { index, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** Who runs the request of an idempotency key, and how it ended. The only place where answers are kept, and no longer than until `expires_at`. */
export const idempotencyKey = switchyard.table(
  'idempotency_key',
  {
    account: text().notNull(),
    key: text().notNull(),
    /** SHA-256 of what is asked, in hexadecimal digits. */
    bodyHash: text('body_hash').notNull(),
    requestId: uuid('request_id').notNull(),
    state: text({ enum: ['running', 'kept', 'freed'] }).notNull(),
    /** Text and not jsonb: it comes back as it was, with characters that jsonb cannot hold. Null while it runs, or when there is nothing to tell. */
    outcome: text(),
    /** While it runs: from then on another may run it. */
    leaseEndsAt: instant('lease_ends_at').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.account, table.key] }),
    index('idempotency_key_expires_at').on(table.expiresAt),
  ],
);
