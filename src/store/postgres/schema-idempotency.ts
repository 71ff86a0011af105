import { index, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** Who runs the request of an idempotency key, and how it ended. Answers are kept here no longer than until `expires_at`, and hidden from whoever has only the store. */
export const idempotencyKey = switchyard.table(
  'idempotency_key',
  {
    account: text().notNull(),
    /** What stands in its place, as `wiring/seal.ts` derives it. */
    key: text().notNull(),
    /** Of what is asked, in hexadecimal digits; who has the key can make it. */
    bodyHash: text('body_hash').notNull(),
    requestId: uuid('request_id').notNull(),
    state: text({ enum: ['running', 'kept', 'freed'] }).notNull(),
    /** Sealed. Null while it runs, or when there is nothing to tell. */
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
