import type postgres from 'postgres';

/** Moves the one clock of all replicas, which is the database's. Between moves it goes on at its own speed. */
export interface DatabaseClock {
  /** What it says now, to the millisecond. */
  nowMs(): Promise<number>;
  /** Sets it forward (or back) by so much. */
  advance(ms: number): Promise<void>;
  /** Lets it stand still at an instant. */
  freezeAt(instantMs: number): Promise<void>;
  /** Lets it run so many times faster than the real one, from where it is. */
  runAt(speed: number): Promise<void>;
}

/** Replaces `switchyard.clock()` in this database. Until it is moved it says what it always said. */
export async function installClock(sql: () => postgres.Sql): Promise<DatabaseClock> {
  await sql()`create table switchyard.arena_clock (
    base timestamptz not null, since timestamptz not null, speed double precision not null)`;
  await sql()`insert into switchyard.arena_clock select now, now, 1 from (select clock_timestamp() as now) real`;
  await sql()`create or replace function switchyard.clock() returns timestamptz language sql volatile as
    'select date_trunc(''milliseconds'', base + (clock_timestamp() - since) * speed) from switchyard.arena_clock'`;
  return {
    async nowMs() {
      const [row] = await sql()`select switchyard.ms(switchyard.clock()) as now`;
      return Number(row?.now);
    },
    async advance(ms) {
      await sql()`update switchyard.arena_clock set base = base + ${ms}::float8 * interval '1 millisecond'`;
    },
    async freezeAt(instantMs) {
      await sql()`update switchyard.arena_clock set base = to_timestamp(${instantMs}::float8 / 1000), speed = 0`;
    },
    async runAt(speed) {
      await sql()`update switchyard.arena_clock set base = base + (clock_timestamp() - since) * arena_clock.speed,
        since = clock_timestamp(), speed = ${speed}::float8`;
    },
  };
}
