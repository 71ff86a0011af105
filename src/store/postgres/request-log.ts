import type postgres from 'postgres';
import type { Fields } from '../../core/decode.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { RequestLogPort } from '../../ports/request-log.ts';
import { fetchAnalytics, fetchProviderStats } from './analyse-requests.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeAttempts, encodeRequest } from './encode-request.ts';
import { fetchRequestPage, requestColumns } from './request-page.ts';
import { isUuid } from './storable.ts';

/**
 * The request log in PostgreSQL. It takes the driver's `sql` rather than a Drizzle database: its statements stay prepared,
 * and `drizzle(sql)` would change how the same connections read times and JSON.
 */
export function makePostgresRequestLog({ sql }: { readonly sql: postgres.Sql }): RequestLogPort {
  return {
    record: (record) => writeRecord(sql, encodeRecord(record)),
    async find(id) {
      if (!isUuid(id)) return null;
      const [row] = await sql<Fields[]>`
        select ${requestColumns(sql)} from switchyard.request r where r.id = ${id}::uuid`;
      return row === undefined ? null : decodeRequest(row);
    },
    page: (query) => fetchRequestPage(sql, query),
    analyse: (query) => fetchAnalytics(sql, query),
    statsOf: (provider, window) => fetchProviderStats(sql, provider, window),
  };
}

/** A request and its attempts as JSON, ready to be written: now, or when it is found in a journal. */
export function encodeRecord(record: RequestRecord): string {
  return `{"request":${encodeRequest(record)},"attempts":${encodeAttempts(record)}}`;
}

/** One statement: no reader sees a request without its attempts. The tables' own row types say how JSON becomes columns. */
export async function writeRecord(sql: postgres.Sql, text: string): Promise<void> {
  await sql`
    with given as (
      select ${text}::text::jsonb as said
    ), fresh as (
      insert into switchyard.request
      select (row).* from (
        select jsonb_populate_record(
          null::switchyard.request, said->'request' || jsonb_build_object('recorded_at', switchyard.clock())) as row
        from given
      ) written
      on conflict (id) do nothing
      returning id
    )
    insert into switchyard.attempt
    select made.*
    from fresh, given, jsonb_populate_recordset(null::switchyard.attempt, said->'attempts') made`;
}
