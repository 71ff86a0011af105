import type postgres from 'postgres';
import type { RequestFilter } from '../../core/analytics.ts';
import type { Fields } from '../../core/decode.ts';
import type { PageAnswer, PageQuery } from '../../core/page.ts';
import { cursorOf, parseCursor, type RequestPosition } from '../../core/request-order.ts';
import type { RequestOrder, RequestRecord } from '../../core/request-record.ts';
import type { View } from '../../core/view.ts';
import { decodeRequest } from './decode-request.ts';
import { conditionsOf } from './request-conditions.ts';
import { isUuid, storableInstant } from './storable.ts';

/** Which way the pages are walked through the index. */
interface Walk {
  readonly key: postgres.Fragment;
  readonly direction: postgres.Fragment;
  /** Of the row `r`: still to come. */
  readonly ahead: postgres.Fragment;
  /** Of the row `r`: passed already, the cursor's own row included. */
  readonly behind: postgres.Fragment;
}

/** One page by keyset: it starts at the cursor's place, however many rows came in between, and reads no row before it. */
export async function fetchRequestPage(
  sql: postgres.Sql,
  query: {
    readonly page: PageQuery;
    readonly filter: RequestFilter;
    readonly order: RequestOrder;
    readonly view: View;
  },
): Promise<PageAnswer<RequestRecord>> {
  const { page, order } = query;
  const start = page.cursor === null ? null : parseCursor(page.cursor, order);
  if (page.cursor !== null && (start === null || !isUuid(start.id))) return { kind: 'badCursor' };
  const isForward = page.direction === 'forward';
  const walk = walkOf(sql, order, isForward, start);
  const [rows, [behind]] = await Promise.all([
    sql<Fields[]>`
      select ${requestColumns(sql)}
      from switchyard.request r
      where ${conditionsOf(sql, query)} and ${walk.ahead}
      order by ${walk.key} ${walk.direction}, r.id ${walk.direction}
      limit ${page.size + 1}`,
    start === null
      ? []
      : sql`select 1 from switchyard.request r where ${conditionsOf(sql, query)} and ${walk.behind} limit 1`,
  ]);
  const taken = rows.slice(0, page.size).map(decodeRequest);
  const hasMoreAhead = rows.length > taken.length;
  const hasMoreBehind = behind !== undefined;
  return {
    kind: 'page',
    page: {
      items: (isForward ? taken : taken.toReversed()).map((item) => ({ cursor: cursorOf(item, order), item })),
      hasNext: isForward ? hasMoreAhead : hasMoreBehind,
      hasPrevious: isForward ? hasMoreBehind : hasMoreAhead,
    },
  };
}

/** What `decodeRequest` reads of the row `r`. Money as text, times in milliseconds, the attempts as one list. */
export function requestColumns(sql: postgres.Sql): postgres.Fragment {
  return sql`
    r.id::text, (extract(epoch from r.created_at) * 1000)::float8 as created_at_ms,
    r.status, r.door, r.is_streamed, r.account, r.key_id, r.key_line, r.user_id, r.model_requested, r.provider, r.model, r.category, r.fell_back,
    r.input_tokens, r.cached_input_tokens, r.output_tokens, r.reasoning_tokens, r.usage_source,
    r.cost_total::text, r.cost_input::text, r.cost_output::text, r.cost_reserved::text, r.price_list_version, r.saved::text,
    r.total_ms, r.first_token_ms, r.upstream_ms, r.overhead_ms, r.finish_reason, r.error, r.decision,
    r.metadata, r.conversation_id, r.trace_id,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'number', a.number, 'provider', a.provider, 'model', a.model, 'outcome', a.outcome, 'httpStatus', a.http_status,
        'errorMessage', a.error_message, 'durationMs', a.duration_ms, 'cost', a.cost::text,
        'countedByBreaker', a.counted_by_breaker) order by a.number)
      from switchyard.attempt a where a.request_id = r.id and a.created_at = r.created_at
    ), '[]') as attempts`;
}

function walkOf(sql: postgres.Sql, order: RequestOrder, isForward: boolean, start: RequestPosition | null): Walk {
  const isUp = (order.direction === 'ascending') === isForward;
  const key = keyOf(sql, order);
  const direction = isUp ? sql`asc` : sql`desc`;
  if (start === null) return { key, direction, ahead: sql`true`, behind: sql`false` };
  const place = sql`(${placeOf(sql, order, start)}, ${start.id}::uuid)`;
  return {
    key,
    direction,
    ahead: isUp ? sql`(${key}, r.id) > ${place}` : sql`(${key}, r.id) < ${place}`,
    behind: isUp ? sql`(${key}, r.id) <= ${place}` : sql`(${key}, r.id) >= ${place}`,
  };
}

function keyOf(sql: postgres.Sql, order: RequestOrder): postgres.Fragment {
  switch (order.field) {
    case 'createdAt':
      return sql`r.created_at`;
    case 'cost':
      return sql`r.cost_total`;
    case 'duration':
      return sql`r.total_ms`;
    default:
      return order.field satisfies never;
  }
}

function placeOf(sql: postgres.Sql, order: RequestOrder, { value }: RequestPosition): postgres.Fragment {
  switch (order.field) {
    case 'createdAt':
      return sql`${storableInstant(Number(value))}::timestamptz`;
    case 'cost':
      return sql`${String(value)}::bigint`;
    case 'duration':
      return sql`${Number(value)}::float8`;
    default:
      return order.field satisfies never;
  }
}
