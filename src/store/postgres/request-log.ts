import type postgres from 'postgres';
import type { RequestId } from '../../core/ids.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { RequestLogPort } from '../../ports/request-log.ts';
import { fetchAnalytics, fetchProviderStats } from './analyse-requests.ts';
import type { Connection } from './connection.ts';
import type { Fields } from './decode.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeAttempts, encodeRequest } from './encode-request.ts';
import { fetchRequestPage, requestColumns } from './request-page.ts';
import { isUuid } from './storable.ts';

/** The request log in PostgreSQL. */
export function makePostgresRequestLog(connection: Pick<Connection, 'act' | 'read'>): RequestLogPort {
  return {
    async record(record) {
      await connection.act((sql) => insertStatement(sql, record));
    },
    find: (id) => connection.read((sql) => fetchRequest(sql, id)),
    page: (query) => connection.read((sql) => fetchRequestPage(sql, query)),
    analyse: (query) => connection.read((sql) => fetchAnalytics(sql, query)),
    statsOf: (provider, window) => connection.read((sql) => fetchProviderStats(sql, provider, window)),
  };
}

async function fetchRequest(sql: postgres.Sql, id: RequestId): Promise<RequestRecord | null> {
  if (!isUuid(id)) return null;
  const [row] = await sql<Fields[]>`
    select ${requestColumns(sql)} from switchyard.request r where r.id = ${id}::uuid`;
  return row === undefined ? null : decodeRequest(row);
}

/**
 * One statement: no reader sees a request without its attempts. The tables' own row types say how JSON becomes columns.
 * Both tables are written in clauses of their own, so that they are locked in the order in which all others lock them.
 */
function insertStatement(sql: postgres.Sql, record: RequestRecord): postgres.PendingQuery<postgres.Row[]> {
  return sql`
    with fresh as (
      insert into switchyard.request
      select made.*
      from jsonb_populate_record(
        null::switchyard.request,
        ${encodeRequest(record)}::text::jsonb || jsonb_build_object('recorded_at', switchyard.clock())) made
      on conflict (id, created_at) do nothing
      returning id
    ), made_for_it as (
      insert into switchyard.attempt
      select made.*
      from fresh, unnest(${encodeAttempts(record)}::text[]) row,
        jsonb_populate_record(null::switchyard.attempt, row::jsonb) made
    )
    select from fresh`;
}
