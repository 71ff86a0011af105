import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { decodeFields, decodeList, decodeNumber, decodeText } from '../../core/decode.ts';
import { type EpochMs, epochMs } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { within } from '../time-limit.ts';

const LIMITS = { connectS: 5, lookMs: 10_000 } as const;

const JOURNAL = new URL('../../../drizzle/meta/_journal.json', import.meta.url);

/** The oldest major version that the schema is written for. */
export const POSTGRES_MAJOR_MIN = 18;

/** What a database is like. Nothing in it is changed by looking. */
export interface Inspection {
  /** Such as `18.4`. */
  readonly version: string;
  readonly major: number;
  /** A standby, or a server that was told to write nothing. */
  readonly isReadOnly: boolean;
  /** The migrations of this version that the database lacks, oldest first. */
  readonly missing: readonly string[];
  /** It was migrated by a version that knows more than this one. */
  readonly isNewer: boolean;
  /** Its clock, and when we asked for it and had the answer by ours. */
  readonly nowMs: EpochMs;
  readonly askedMs: EpochMs;
  readonly answeredMs: EpochMs;
}

/** Looks at a database. Rejects when it cannot be reached, or does not answer in time. */
export async function inspectDatabase(url: string, clock: Pick<Clock, 'after' | 'now'>): Promise<Inspection> {
  const sql = postgres(url, { max: 1, connect_timeout: LIMITS.connectS, onnotice: () => undefined });
  try {
    return await within(look(sql, clock), { limitMs: LIMITS.lookMs, clock });
  } finally {
    // Without waiting: on a connection that swallows everything nobody says goodbye.
    void sql.end({ timeout: 0 });
  }
}

async function look(sql: postgres.Sql, clock: Pick<Clock, 'now'>): Promise<Inspection> {
  const [server] =
    await sql`select current_setting('server_version_num') as number, current_setting('transaction_read_only') as read_only`;
  const number = decodeNumber(server?.number);
  const askedMs = clock.now();
  const [time] = await sql`select (extract(epoch from clock_timestamp()) * 1000)::bigint::text as now`;
  const answeredMs = clock.now();
  const [table] = await sql`select to_regclass('switchyard_migrations.applied') as name`;
  const rows = table?.name === null ? [] : await sql`select created_at::text as at from switchyard_migrations.applied`;
  const applied = new Set(rows.map(({ at }) => decodeNumber(at)));
  const known = migrations();
  return {
    version: `${Math.floor(number / 10_000)}.${number % 10_000}`,
    major: Math.floor(number / 10_000),
    isReadOnly: server?.read_only === 'on',
    missing: known.filter(({ when }) => !applied.has(when)).map(({ tag }) => tag),
    isNewer: Math.max(...applied) > Math.max(...known.map(({ when }) => when)),
    nowMs: epochMs(decodeNumber(time?.now)),
    askedMs,
    answeredMs,
  };
}

/** Those that come with this version, as drizzle-kit lists them. */
function migrations(): readonly { readonly tag: string; readonly when: number }[] {
  const { entries } = decodeFields(JSON.parse(readFileSync(JOURNAL, 'utf8')));
  return decodeList(entries, (entry) => {
    const { tag, when } = decodeFields(entry);
    return { tag: decodeText(tag), when: decodeNumber(when) };
  });
}
