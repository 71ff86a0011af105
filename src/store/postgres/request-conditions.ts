import type postgres from 'postgres';
import type { RequestFilter, Window } from '../../core/analytics.ts';
import { storableLabels } from './encode-request.ts';
import { storableInstant, storableJson, storableText } from './storable.ts';

/** What a filter asks of the row `r` of `switchyard.request`, to be put after `where`. The same as `isMatch` in the core. */
export function conditionsOf(sql: postgres.Sql, filter: RequestFilter): postgres.Fragment {
  const { status, provider, model, category, userId, fellBack, window, costMin, totalMsMin, metadata } = filter;
  return sql`true ${[
    sql``,
    status.length === 0 ? sql`` : sql`and r.status in ${listOf(sql, status)}`,
    provider.length === 0 ? sql`` : sql`and r.provider in ${listOf(sql, provider)}`,
    model.length === 0 ? sql`` : sql`and r.model in ${listOf(sql, model)}`,
    category.length === 0 ? sql`` : sql`and r.category in ${listOf(sql, category)}`,
    userId === null ? sql`` : sql`and r.user_id = ${storableText(userId)}`,
    fellBack === null ? sql`` : sql`and r.fell_back = ${fellBack}`,
    window === null ? sql`` : sql`and ${isWithin(sql, sql`r.created_at`, window)}`,
    costMin === null ? sql`` : sql`and r.cost_total >= ${costMin.toString()}::numeric`,
    totalMsMin === null ? sql`` : sql`and r.total_ms >= ${totalMsMin}::float8`,
    Object.keys(metadata).length === 0
      ? sql``
      : sql`and r.metadata @> ${storableJson(storableLabels(metadata))}::text::jsonb`,
  ]}`;
}

/** Whether an instant lies in a window. The window's end does not. */
export function isWithin(sql: postgres.Sql, instant: postgres.Fragment, window: Window): postgres.Fragment {
  return sql`${instant} >= ${storableInstant(window.fromMs)}::timestamptz
    and ${instant} < ${storableInstant(window.toMs)}::timestamptz`;
}

function listOf(sql: postgres.Sql, values: readonly string[]) {
  return sql(values.map(storableText));
}
