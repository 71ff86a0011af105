import type postgres from 'postgres';
import type { Fields } from '../../core/decode.ts';
import type { RequestId } from '../../core/ids.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { RequestLogPort } from '../../ports/request-log.ts';
import { fetchAnalytics, fetchProviderStats } from './analyse-requests.ts';
import type { Connection } from './connection.ts';
import { decodeRequest } from './decode-request.ts';
import type { Recorder } from './record-requests.ts';
import { fetchRequestPage, requestColumns } from './request-page.ts';
import { isUuid } from './storable.ts';

/** The request log in PostgreSQL. */
export function makePostgresRequestLog(connection: Pick<Connection, 'read'>, recorder: Recorder): RequestLogPort {
  return {
    record: recorder.record,
    find: (id) => connection.read((sql) => fetchRequest(sql, id)),
    page: (query) => connection.read((sql) => fetchRequestPage(sql, query)),
    analyse: (query) => connection.read((sql) => fetchAnalytics(sql, query)),
    statsOf: (query) => connection.read((sql) => fetchProviderStats(sql, query)),
  };
}

async function fetchRequest(sql: postgres.Sql, id: RequestId): Promise<RequestRecord | null> {
  if (!isUuid(id)) return null;
  const [row] = await sql<Fields[]>`
    select ${requestColumns(sql)} from switchyard.request r where r.id = ${id}::uuid`;
  return row === undefined ? null : decodeRequest(row);
}
