import { bigint, integer, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

/** What a line of API keys began in one tenth of a second. Whoever enters deletes what counts no more. */
export const callerBucket = switchyard.table(
  'caller_bucket',
  {
    line: text().notNull(),
    /** Tenths of a second since 1970. */
    place: bigint({ mode: 'number' }).notNull(),
    requests: integer().notNull(),
    /** As estimated, until a request has ended. */
    tokens: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.line, table.place] })],
);

/** A request of a line that is under way. */
export const callerPlace = switchyard.table(
  'caller_place',
  {
    line: text().notNull(),
    requestId: uuid('request_id').notNull(),
    /** The place of the bucket that its tokens are counted in. */
    bucket: bigint({ mode: 'number' }).notNull(),
    tokens: bigint({ mode: 'number' }).notNull(),
    /** From then on its replica is taken for dead. */
    leaseEndsAt: timestamp('lease_ends_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.line, table.requestId] })],
);
