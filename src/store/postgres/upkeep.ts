import { decodeFields, decodeOneOf, decodeText } from '../../core/decode.ts';
import type { LogKeeping, UpkeepPort } from '../../ports/upkeep.ts';
import type { Connection } from './connection.ts';

const KINDS = ['worked', 'hindered', 'rested'] as const;

/** Keeps the log by making and dropping partitions: `switchyard.keep_log` in drizzle/0005_log_partitions.sql. */
export function makePostgresUpkeep(connection: Pick<Connection, 'upkeep'>): UpkeepPort {
  return {
    async keepLog({ retentionDays }) {
      const [row] = await connection.upkeep((sql) => sql`select switchyard.keep_log(${retentionDays}::int) as answer`);
      return decodeKeeping(row?.answer);
    },
  };
}

function decodeKeeping(value: unknown): LogKeeping {
  const fields = decodeFields(value);
  const kind = decodeOneOf(KINDS, fields.kind);
  switch (kind) {
    case 'worked':
      return { kind, what: decodeText(fields.what) };
    case 'hindered':
      return { kind, why: decodeText(fields.why) };
    case 'rested':
      return { kind };
    default:
      return kind satisfies never;
  }
}
