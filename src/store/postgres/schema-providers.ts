import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { switchyard } from './schema-root.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** One row a provider: switches, breaker, throttle and simulation. docs/routing.md tells the breaker's rules. */
export const providerState = switchyard.table('provider_state', {
  provider: text().primaryKey(),
  /** Place in the registry of the replica that started last. Null: that registry does not have it. Other replicas may. */
  position: integer(),
  isEnabled: boolean('is_enabled').notNull().default(true),
  state: text({ enum: ['closed', 'open', 'halfOpen'] })
    .notNull()
    .default('closed'),
  epoch: integer().notNull().default(0),
  fails: integer().notNull().default(0),
  streakStartedAt: instant('streak_started_at'),
  openedUntil: instant('opened_until'),
  openedAt: instant('opened_at'),
  changedAt: instant('changed_at').notNull(),
  reopenCount: integer('reopen_count').notNull().default(0),
  probeId: uuid('probe_id'),
  probeUntil: instant('probe_until'),
  throttledUntil: instant('throttled_until'),
  setAsideUntil: instant('set_aside_until'),
  setAsideDetail: text('set_aside_detail'),
  simulationMode: text('simulation_mode'),
  simulationRate: doublePrecision('simulation_rate'),
  simulationEndsAt: instant('simulation_ends_at'),
  simulationFailuresMax: integer('simulation_failures_max'),
  simulationLatencyMs: integer('simulation_latency_ms'),
  simulationInjected: integer('simulation_injected'),
  /** Until when slots were taken that a lowered limit removed: slots that are added again are not free before. Null: none were. */
  removedSlotsUntil: instant('removed_slots_until'),
});

/** Tenants that found a provider's rolling limit used up, while they are waited for. */
export const rateWaiter = switchyard.table(
  'rate_waiter',
  {
    provider: text().notNull(),
    tenant: text().notNull(),
    endsAt: instant('ends_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.tenant] })],
);

/** One row for each request that a provider's rolling limit allows in its window; taken until `free_at`. */
export const rateSlot = switchyard.table(
  'rate_slot',
  {
    provider: text().notNull(),
    slot: integer().notNull(),
    freeAt: instant('free_at').notNull().default(sql`'-infinity'`),
    /** Whose request took it last. Null: nobody's in particular, such as one that a replica reserves. */
    tenant: text(),
  },
  (table) => [
    primaryKey({ columns: [table.provider, table.slot] }),
    index('rate_slot_free').on(table.provider, table.freeAt, table.slot),
  ],
);

/** The history of all breakers, in the order of commits. */
export const breakerEvent = switchyard.table(
  'breaker_event',
  {
    sequence: bigint({ mode: 'number' }).primaryKey(),
    provider: text().notNull(),
    epoch: integer().notNull(),
    fromState: text('from_state').notNull(),
    toState: text('to_state').notNull(),
    cause: text().notNull(),
    fails: integer().notNull(),
    reopensAt: instant('reopens_at'),
    detail: text(),
    occurredAt: instant('occurred_at').notNull(),
    replica: text().notNull(),
  },
  (table) => [unique('breaker_event_epoch').on(table.provider, table.epoch)],
);

/** The sequence of the newest event. Its row is locked until the event is committed, so that sequences have no gap and no late comer. */
export const breakerEventCounter = switchyard.table(
  'breaker_event_counter',
  {
    id: integer().primaryKey().default(1),
    last: bigint({ mode: 'number' }).notNull().default(0),
  },
  (table) => [check('breaker_event_counter_one_row', sql`${table.id} = 1`)],
);

/** Every administrative act: append-only. */
export const audit = switchyard.table('audit', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  at: instant('at').notNull(),
  actor: text().notNull(),
  act: text().notNull(),
  target: text().notNull(),
  reason: text(),
  detail: jsonb().notNull(),
});
