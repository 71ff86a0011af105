import { text, timestamp } from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** The replicas that use this database, for display only. One that stops in good order takes its row away; others are forgotten after a day. */
export const replica = switchyard.table('replica', {
  id: text().primaryKey(),
  /** When it was first seen here. */
  startedAt: instant('started_at').notNull(),
  seenAt: instant('seen_at').notNull(),
  version: text().notNull(),
  configHash: text('config_hash').notNull(),
  priceListVersion: text('price_list_version').notNull(),
  /** Fingerprint of the provider rows that its registry asks for. */
  providerRows: text('provider_rows').notNull(),
});
