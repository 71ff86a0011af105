import type { RequestId } from '../../core/ids.ts';
import type { RequestRecord } from '../../core/request-record.ts';

/** Records that wait for the store. Of more, the oldest are found only once it has them. */
const RECORDS_MAX = 10_000;

/** What this replica has recorded and the store does not have yet: who was told of an end finds the request here meanwhile. */
export interface OwnRecords {
  /** Keeps it until `carried` resolves. */
  keep(record: RequestRecord, carried: Promise<unknown>): void;
  /** Null: not one of them. */
  find(id: RequestId): RequestRecord | null;
}

export function makeOwnRecords(): OwnRecords {
  const records = new Map<RequestId, RequestRecord>();
  return {
    keep(record, carried) {
      const { id } = record;
      records.set(id, record);
      void carried.then(() => records.delete(id));
      const [oldest] = records.keys();
      if (records.size > RECORDS_MAX && oldest !== undefined) records.delete(oldest);
    },
    find: (id) => records.get(id) ?? null,
  };
}
