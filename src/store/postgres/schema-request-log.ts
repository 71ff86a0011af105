import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { CATEGORIES } from '../../core/category.ts';
import { ATTEMPT_OUTCOMES } from '../../core/decision.ts';
import { FINISH_REASONS } from '../../core/prompt.ts';
import { DOORS, REQUEST_STATUSES } from '../../core/request-record.ts';
import { USAGE_SOURCES } from '../../core/usage.ts';
import { switchyard } from './schema-root.ts';

/**
 * One ended request. What is filtered, sorted or summed has a narrow column; why it was routed so is one document.
 * Money is in pico-dollars, times in milliseconds. Rows are written once, by `record`, and never changed.
 *
 * This table and the next are partitioned by `created_at`, which Drizzle has no word for: drizzle/0005_log_partitions.sql
 * makes them, and `switchyard.keep_log` their partitions.
 */
export const request = switchyard.table(
  'request',
  {
    id: uuid('id').notNull(),
    /** When it arrived, to the millisecond. */
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    /** When it was written here, by the database's clock. */
    recordedAt: timestamp('recorded_at', { withTimezone: true }).notNull(),
    status: text('status', { enum: REQUEST_STATUSES }).notNull(),
    door: text('door', { enum: DOORS }).notNull(),
    isStreamed: boolean('is_streamed').notNull(),
    account: text('account').notNull(),
    /** The key that it came with, and the first one of its line. Null, both of them: it came without. */
    keyId: text('key_id'),
    keyLine: text('key_line'),
    userId: text('user_id'),
    modelRequested: text('model_requested').notNull(),
    provider: text('provider'),
    model: text('model'),
    category: text('category', { enum: CATEGORIES }).notNull(),
    fellBack: boolean('fell_back').notNull(),
    /** Null, like the other four of usage, without an answer. */
    inputTokens: bigint('input_tokens', { mode: 'number' }),
    cachedInputTokens: bigint('cached_input_tokens', { mode: 'number' }),
    outputTokens: bigint('output_tokens', { mode: 'number' }),
    reasoningTokens: bigint('reasoning_tokens', { mode: 'number' }),
    usageSource: text('usage_source', { enum: USAGE_SOURCES }),
    costTotal: bigint('cost_total', { mode: 'bigint' }).notNull(),
    costInput: bigint('cost_input', { mode: 'bigint' }).notNull(),
    costOutput: bigint('cost_output', { mode: 'bigint' }).notNull(),
    costReserved: bigint('cost_reserved', { mode: 'bigint' }).notNull(),
    priceListVersion: text('price_list_version').notNull(),
    saved: bigint('saved', { mode: 'bigint' }).notNull(),
    totalMs: doublePrecision('total_ms').notNull(),
    firstTokenMs: doublePrecision('first_token_ms'),
    upstreamMs: doublePrecision('upstream_ms').notNull(),
    overheadMs: doublePrecision('overhead_ms').notNull(),
    finishReason: text('finish_reason', { enum: FINISH_REASONS }),
    /** A `RecordedError` as `encode-request.ts` writes it. */
    error: jsonb('error'),
    /** A `RoutingDecision` without its attempts. */
    decision: jsonb('decision').notNull(),
    metadata: jsonb('metadata').notNull(),
    conversationId: text('conversation_id'),
    /** The W3C id of its trace, as 32 hexadecimal digits. Null: it was not traced. */
    traceId: text('trace_id'),
  },
  // Ascending, since Drizzle's `desc()` means NULLS LAST, which `order by … desc` cannot use; they are read backward.
  (table) => [
    primaryKey({ columns: [table.id, table.createdAt] }),
    index('request_created_at').on(table.createdAt, table.id),
    index('request_cost_total').on(table.costTotal, table.id),
    index('request_total_ms').on(table.totalMs, table.id),
    index('request_user_id_created_at').on(table.userId, table.createdAt, table.id),
    index('request_account_created_at').on(table.account, table.createdAt, table.id),
    // These two are of nothing, and free, as long as requests come without keys.
    index('request_key_line_created_at').on(table.keyLine, table.createdAt, table.id).where(sql`key_line is not null`),
    index('request_key_id_created_at').on(table.keyId, table.createdAt, table.id).where(sql`key_id is not null`),
  ],
);

/** One call that was made for a request. Written in the same statement as its request. */
export const attempt = switchyard.table(
  'attempt',
  {
    /** No foreign key: both are written in one statement, and go together with the stretch of time that they lie in. */
    requestId: uuid('request_id').notNull(),
    /** 1 for the first. */
    number: integer('number').notNull(),
    /** Of its request: an attempt counts where its request counts. */
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    outcome: text('outcome', { enum: ATTEMPT_OUTCOMES }).notNull(),
    httpStatus: integer('http_status'),
    errorMessage: text('error_message'),
    durationMs: doublePrecision('duration_ms').notNull(),
    cost: bigint('cost', { mode: 'bigint' }).notNull(),
    countedByBreaker: boolean('counted_by_breaker').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.requestId, table.number, table.createdAt] }),
    index('attempt_created_at_provider').on(table.createdAt, table.provider),
  ],
);
