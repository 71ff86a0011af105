import type postgres from 'postgres';
import { type RequestId, requestId } from '../../core/ids.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { makeCombiner } from './combiner.ts';
import type { Connection } from './connection.ts';
import { encodeAttempts, encodeRequest } from './encode-request.ts';
import { isRefusal } from './fault.ts';

/** Most requests written by one statement: about 200 kB, and a few milliseconds of one backend. */
const RECORDER = { recordsMax: 100 } as const;

/** A request and its attempts as rows in JSON. */
interface Rows {
  readonly id: RequestId;
  readonly request: string;
  readonly attempts: readonly string[];
}

/** Records requests: those that wait at one moment are written by one statement. A record that cannot be written takes no other with it. */
export interface Recorder {
  record(record: RequestRecord): Promise<void>;
  /** Records what `encodeRecord` wrote down. */
  recordText(text: string): Promise<void>;
}

export function makeRecorder({ record }: Pick<Connection, 'record'>): Recorder {
  const insert = (records: readonly Rows[]) => record((sql) => insertStatement(sql, records));
  const combiner = makeCombiner<Rows, void>({
    itemsMax: RECORDER.recordsMax,
    async send(records) {
      await insert(records);
      return records.map(() => undefined);
    },
    isUndone: isRefusal,
  });
  return {
    record: async (request) => combiner.ask(rowsOf(request)),
    recordText: async (text) => combiner.ask(rowsIn(text)),
  };
}

function rowsOf(record: RequestRecord): Rows {
  return { id: record.id, request: encodeRequest(record), attempts: encodeAttempts(record) };
}

/** A request and its attempts as text, ready to be recorded: now, or when it is found in a journal. A line each, since JSON has none of its own. */
export function encodeRecord(record: RequestRecord): string {
  const { id, request, attempts } = rowsOf(record);
  return [id, request, ...attempts].join('\n');
}

function rowsIn(text: string): Rows {
  const [id, request, ...attempts] = text.split('\n');
  if (id === undefined || request === undefined) throw new TypeError('a kept record has an id and a request at least');
  return { id: requestId(id), request, attempts };
}

/**
 * One statement: no reader sees a request without its attempts. The tables' own row types say how JSON becomes columns.
 * A text for each row, because PostgreSQL takes one long list of objects apart several times slower. Both tables are
 * written in clauses of their own, so that they are locked in the order in which all others lock them.
 */
function insertStatement(sql: postgres.Sql, given: readonly Rows[]): postgres.PendingQuery<postgres.Row[]> {
  const records = firstOfEach(given);
  return sql`
    with fresh as (
      insert into switchyard.request
      select made.*
      from jsonb_populate_record(
          null::switchyard.request, jsonb_build_object('recorded_at', switchyard.clock())) blank,
        unnest(${records.map(({ request }) => request)}::text[]) row,
        jsonb_populate_record(blank, row::jsonb) made
      on conflict (id, created_at) do nothing
      returning id
    ), made_for_them as (
      insert into switchyard.attempt
      select made.*
      from unnest(${records.flatMap(({ attempts }) => attempts)}::text[]) row,
        jsonb_populate_record(null::switchyard.attempt, row::jsonb) made
      where made.request_id in (select id from fresh)
    )
    select from fresh`;
}

/**
 * A second record of a request changes nothing, in the same statement as well. By id, since statements that write the same
 * requests at once, such as a repeated one, wait for each other in one order.
 */
function firstOfEach(given: readonly Rows[]): readonly Rows[] {
  const byId = new Map(given.toReversed().map((record) => [record.id, record]));
  return Array.from(byId.values()).toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
