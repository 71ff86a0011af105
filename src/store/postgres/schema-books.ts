import { sql } from 'drizzle-orm';
import { bigint, check, integer, numeric, text, timestamp } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
/** A sum may be wider than what it is summed from. In pico-dollars. */
const sum = (name: string) => numeric(name, { mode: 'bigint' });

/** How far the check of the books has come, for all replicas: one row. */
export const booksPlace = switchyard.table(
  'books_place',
  {
    id: integer().primaryKey().default(1),
    /** The account that was looked at last. Empty between rounds. */
    account: text().notNull().default(''),
    /** The entry up to which its ledger was summed, and the sum. 0: it was summed to its end. */
    entry: bigint({ mode: 'number' }).notNull().default(0),
    postedSum: sum('posted_sum').notNull().default(sql`0`),
    roundStartedAt: instant('round_started_at').notNull().default(sql`'-infinity'`),
  },
  (table) => [check('books_place_one_row', sql`${table.id} = 1`)],
);

/** The accounts whose books did not balance when they were looked at last, and how they stood then. */
export const booksDifference = switchyard.table('books_difference', {
  account: text().primaryKey(),
  held: bigint({ mode: 'bigint' }).notNull(),
  heldSum: sum('held_sum').notNull(),
  posted: bigint({ mode: 'bigint' }).notNull(),
  postedSum: sum('posted_sum').notNull(),
  /** When it was found first. */
  foundAt: instant('found_at').notNull(),
});
