import type postgres from 'postgres';

/** The state of all money at one instant, as one statement sees it. Amounts in pico-dollars. */
export interface BookFault {
  readonly account: string;
  readonly what: 'overspent' | 'heldIsNotTheSumOfHolds' | 'postedIsNotTheSumOfEntries';
  readonly detail: string;
}

/** Everything that is wrong with the accounts at one instant. Empty: nothing. One statement, so one snapshot. */
export async function bookFaults(sql: postgres.Sql, defaultCap: bigint): Promise<readonly BookFault[]> {
  const rows = await sql`
    select account, what, detail from (
      select a.key as account, a.posted, a.held,
        coalesce(a.cap, case when a.under_default or a.key like 'user:%' then ${defaultCap.toString()}::bigint end) as cap,
        coalesce((select sum(h.amount) from switchyard.hold h
          where a.key = any(array_prepend(h.account, h.also)) and h.state = 'held'), 0) as holds,
        coalesce((select sum(e.amount) from switchyard.ledger_entry e where e.account = a.key), 0) as entries
      from switchyard.account a
    ) sums, lateral (values
      ('overspent', posted + held > cap, 'posted ' || posted || ' + held ' || held || ' > cap ' || cap),
      ('heldIsNotTheSumOfHolds', held <> holds, 'held ' || held || ', holds ' || holds),
      ('postedIsNotTheSumOfEntries', posted <> entries, 'posted ' || posted || ', entries ' || entries)
    ) found(what, is_so, detail)
    where is_so order by account limit 20`;
  return rows.map(({ account, what, detail }) => ({ account, what, detail }));
}

/** Holds whose entries do not say, once each, how they ended. */
export async function doublePostings(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql`
    select h.id, h.state, count(e.id) as entries, count(*) filter (where e.kind = 'settled') as settled
    from switchyard.hold h cross join unnest(array_prepend(h.account, h.also)) payer
    left join switchyard.ledger_entry e on e.hold_id = h.id and e.account = payer
    group by h.id, payer
    having count(e.id) <> case when h.state = 'held' then 0 when h.state = 'expired' then 1
      else 1 + count(*) filter (where e.kind = 'unconfirmed') end
    limit 20`;
  return rows.map(
    (row) => `hold ${row.id} is ${row.state} with ${row.entries} entries, ${row.settled} of them settles`,
  );
}

/** What is held in all, and in how many holds. */
export async function heldOf(sql: postgres.Sql): Promise<{ readonly held: bigint; readonly holds: number }> {
  const [row] = await sql`
    select (select coalesce(sum(held), 0) from switchyard.account)::text as held,
      (select count(*) from switchyard.hold where state = 'held')::int as holds`;
  return { held: BigInt(row?.held), holds: Number(row?.holds) };
}

/** Looks at the books again and again while something happens. */
export interface Sampler extends AsyncDisposable {
  readonly samples: number;
  /** The first faults that were seen, as sentences. */
  readonly faults: readonly string[];
}

const FAULTS_KEPT_MAX = 10;

/** One snapshot every `everyMs`, and none while PostgreSQL is away. */
export function sampleBooks(of: {
  readonly sql: () => postgres.Sql;
  readonly defaultCap: bigint;
  readonly everyMs: number;
}): Sampler {
  let samples = 0;
  let isOver = false;
  const faults: string[] = [];
  const look = async () => {
    const found = await bookFaults(of.sql(), of.defaultCap).catch(() => null);
    if (found === null) return;
    samples += 1;
    for (const fault of found.slice(0, FAULTS_KEPT_MAX - faults.length)) {
      faults.push(`${fault.what} in snapshot ${samples}: ${fault.account}: ${fault.detail}`);
    }
  };
  const run = async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, of.everyMs));
    }
  };
  const running = run();
  return {
    get samples() {
      return samples;
    },
    faults,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await running;
    },
  };
}
