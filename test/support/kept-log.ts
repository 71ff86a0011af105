import { type EpochMs, epochMs } from '../../src/core/time.ts';
import { makeRecorder } from '../../src/store/postgres/record-requests.ts';
import { makePostgresRequestLog } from '../../src/store/postgres/request-log.ts';
import { makePostgresUpkeep } from '../../src/store/postgres/upkeep.ts';
import { connectToTest } from './open-test-store.ts';
import { START_MS } from './request-records.ts';
import { makeStoreDatabase } from './store-database.ts';

export const DAY_MS = 86_400_000;
/** An instant, counted in days since the start. */
export const atDay = (day: number): EpochMs => epochMs(START_MS + Math.round(day * DAY_MS));

/** A request log whose time a test moves, counted in days since the start. */
export async function openKeptLog(opened: AsyncDisposableStack) {
  const database = opened.use(await makeStoreDatabase(START_MS));
  const connection = opened.use(connectToTest(database.url));
  const { keepLog } = makePostgresUpkeep(connection);
  return {
    url: database.url,
    sql: database.sql,
    connection,
    log: makePostgresRequestLog(connection, makeRecorder(connection)),
    keepLog,
    moveTo: (day: number) => database.setClock(atDay(day)),
    /** Keeps the log until nothing is left to do, and tells what was done. PostgreSQL's own vacuum may hinder it for a while. */
    async keep(retentionDays: number): Promise<readonly string[]> {
      const done: string[] = [];
      for (;;) {
        const kept = await keepLog({ retentionDays });
        if (kept.kind === 'rested') return done;
        if (kept.kind === 'worked') done.push(kept.what);
      }
    },
    /** The partitions, as days since the start. */
    async partitions(): Promise<readonly (readonly [number, number])[]> {
      const rows = await database.sql`
        select extract(epoch from starts_at)::float8 * 1000 as starts, extract(epoch from ends_at)::float8 * 1000 as ends
        from switchyard.log_partition order by 1`;
      return rows.map(({ starts, ends }) => [(starts - START_MS) / DAY_MS, (ends - START_MS) / DAY_MS] as const);
    },
  };
}
