import type { RequestId } from '../../core/ids.ts';
import { pageOfRequests } from '../../core/request-order.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { analyseRecords, statsOfProvider } from '../../core/tally.ts';
import type { EpochMs } from '../../core/time.ts';
import type { RequestLogPort } from '../../ports/request-log.ts';
import type { UpkeepPort } from '../../ports/upkeep.ts';

export const MEMORY_LOG_LIMITS = { recordsMax: 100_000 } as const;

const DAY_MS = 86_400_000;

/** The request log of one process. It keeps the newest `recordsMax` requests: the oldest record goes when another one comes. */
export function makeMemoryRequestLog({
  now,
  recordsMax = MEMORY_LOG_LIMITS.recordsMax,
}: {
  readonly now: () => EpochMs;
  readonly recordsMax?: number;
}): RequestLogPort & UpkeepPort {
  // A Map walks in the order in which entries came.
  const records = new Map<RequestId, RequestRecord>();
  return {
    async record(record) {
      if (records.has(record.id)) return;
      records.set(record.id, record);
      if (records.size <= recordsMax) return;
      const [oldest] = records.keys();
      if (oldest !== undefined) records.delete(oldest);
    },
    async find(id) {
      return records.get(id) ?? null;
    },
    async page(query) {
      return pageOfRequests(records.values(), query);
    },
    async analyse(query) {
      return analyseRecords(records.values(), query, now());
    },
    async statsOf(query) {
      return statsOfProvider(records.values(), query);
    },
    async keepLog({ retentionDays }) {
      const keptFromMs = now() - retentionDays * DAY_MS;
      const old = Array.from(records.values()).filter((record) => record.createdAtMs < keptFromMs);
      for (const { id } of old) records.delete(id);
      return old.length === 0 ? { kind: 'rested' } : { kind: 'worked', what: `forgot ${old.length} old requests` };
    },
  };
}
