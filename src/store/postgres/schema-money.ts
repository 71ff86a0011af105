import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const money = (name: string) => bigint(name, { mode: 'bigint' });

/** Whose money is spent. `posted` is the sum of the account's ledger entries, `held` the sum of the holds that it pays, alone or along. In pico-dollars. */
export const account = switchyard.table(
  'account',
  {
    key: text().primaryKey(),
    /** Null: the gateway's default cap for users and where `under_default` says so, or none. */
    cap: money('cap'),
    posted: money('posted').notNull().default(sql`0`),
    held: money('held').notNull().default(sql`0`),
    period: text({ enum: ['total', 'daily', 'weekly', 'monthly'] })
      .notNull()
      .default('total'),
    periodStartedAt: instant('period_started_at').notNull(),
    /** Null: never. */
    resetsAt: instant('resets_at'),
    /** A key has paid by itself: then the default cap is in force for it as for users, who need no word of it. */
    underDefault: boolean('under_default').notNull().default(false),
  },
  (table) => [
    check('account_posted_not_negative', sql`${table.posted} >= 0`),
    check('account_held_not_negative', sql`${table.held} >= 0`),
  ],
);

/** Money set aside for one attempt, and the permit it belongs to; or a slice, which a replica holds for attempts to come. */
export const hold = switchyard.table(
  'hold',
  {
    id: uuid().primaryKey(),
    requestId: uuid('request_id').notNull(),
    attempt: integer().notNull(),
    account: text().notNull(),
    /** Accounts for which the same is held and posted once more, at most two. Null: none. */
    also: text().array(),
    /** Empty: it is a slice. */
    provider: text().notNull(),
    model: text().notNull(),
    amount: money('amount').notNull(),
    state: text({ enum: ['held', 'posted', 'voided', 'expired'] })
      .notNull()
      .default('held'),
    epoch: integer().notNull(),
    isProbe: boolean('is_probe').notNull(),
    startedAt: instant('started_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    /** Null while it is held. */
    endedAt: instant('ended_at'),
    replica: text().notNull(),
    /** The slice that the attempt was paid from. Null for most, which were admitted by this database. */
    sliceId: uuid('slice_id'),
  },
  (table) => [
    unique('hold_attempt').on(table.requestId, table.attempt, table.sliceId).nullsNotDistinct(),
    check('hold_amount_not_negative', sql`${table.amount} >= 0`),
    index('hold_due').on(table.expiresAt).where(sql`state = 'held'`),
    index('hold_of_account').on(table.account).where(sql`state = 'held'`),
    index('hold_of_first_also').on(sql`(${table.also}[1])`).where(sql`state = 'held' and also is not null`),
    index('hold_of_second_also').on(sql`(${table.also}[2])`).where(sql`state = 'held' and also is not null`),
    // The provider is for slices, which have none: they are looked for every few seconds.
    index('hold_of_replica').on(table.replica, table.provider).where(sql`state in ('held', 'expired')`),
  ],
);

/** Every change of `posted`: append-only. `unconfirmed` entries are holds that expired; a `correction` may follow. */
export const ledgerEntry = switchyard.table(
  'ledger_entry',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    account: text().notNull(),
    /** Null for a reset. */
    holdId: uuid('hold_id'),
    amount: money('amount').notNull(),
    kind: text({ enum: ['settled', 'unconfirmed', 'correction', 'reset'] }).notNull(),
    /** How the amount is known: reported, counted, estimated, nothing; or who reset it. */
    evidence: text().notNull(),
    /** How far it lies above its hold. */
    overrun: money('overrun').notNull().default(sql`0`),
    at: instant('at').notNull(),
  },
  (table) => [index('ledger_entry_of_account').on(table.account, table.id, table.amount)],
);
