import { sql } from 'drizzle-orm';
import { bigint, index, integer, text, timestamp } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** The credentials of callers. A key itself is nowhere: only a hash of 256 random bits, which needs no salt. */
export const apiKey = switchyard.table(
  'api_key',
  {
    id: text().primaryKey(),
    /** Their order of making, by which they are listed. */
    sequence: bigint({ mode: 'number' }).notNull().unique().generatedAlwaysAsIdentity(),
    /** The first key of its line: a key that was rotated keeps it. */
    line: text().notNull(),
    /** SHA-256 of the key's whole text, in hexadecimal digits. */
    hash: text().notNull().unique(),
    name: text().notNull(),
    scopes: text().array().notNull(),
    /** Whose money it spends. Null: its own. */
    userId: text('user_id'),
    /** The team that pays along. Null: none. */
    teamId: text('team_id'),
    requestsPerMinute: integer('requests_per_minute'),
    tokensPerMinute: integer('tokens_per_minute'),
    concurrency: integer(),
    createdAt: instant('created_at').notNull(),
    lastUsedAt: instant('last_used_at'),
    expiresAt: instant('expires_at'),
    /** May lie ahead: a key that was rotated works on for a while. */
    revokedAt: instant('revoked_at'),
  },
  (table) => [index('api_key_end').on(sql`least(${table.revokedAt}, ${table.expiresAt})`)],
);
