import { index, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

/** What was asked and answered, no longer than until `expires_at`. Empty unless the operator wants it kept. */
export const requestContent = switchyard.table(
  'request_content',
  {
    requestId: uuid('request_id').primaryKey(),
    account: text().notNull(),
    promptText: text('prompt_text').notNull(),
    /** Null without a complete answer. */
    answerText: text('answer_text'),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [index('request_content_expires_at').on(table.expiresAt)],
);
