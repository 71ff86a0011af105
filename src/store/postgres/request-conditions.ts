import type postgres from 'postgres';
import type { RequestFilter, Window } from '../../core/analytics.ts';
import type { View } from '../../core/view.ts';
import { storableLabels } from './encode-request.ts';
import { storableInstant, storableJson, storableText } from './storable.ts';

/** What a filter and a view ask of the row `r` of `switchyard.request`, to be put after `where`. The same as `isMatch` and `isSeen` in the core. */
export function conditionsOf(
  sql: postgres.Sql,
  { filter, view }: { readonly filter: RequestFilter; readonly view: View },
): postgres.Fragment {
  const { status, provider, model, category, userId, apiKeyId, fellBack, window, costMin, totalMsMin, metadata } =
    filter;
  return sql`${isSeen(sql, view)} ${[
    sql``,
    status.length === 0 ? sql`` : sql`and r.status in ${listOf(sql, status)}`,
    provider.length === 0 ? sql`` : sql`and r.provider in ${listOf(sql, provider)}`,
    model.length === 0 ? sql`` : sql`and r.model in ${listOf(sql, model)}`,
    category.length === 0 ? sql`` : sql`and r.category in ${listOf(sql, category)}`,
    userId === null ? sql`` : sql`and r.user_id = ${storableText(userId)}`,
    apiKeyId === null
      ? sql``
      : sql`and (r.key_id = ${storableText(apiKeyId)} or r.key_line = ${storableText(apiKeyId)})`,
    fellBack === null ? sql`` : sql`and r.fell_back = ${fellBack}`,
    window === null ? sql`` : sql`and ${isWithin(sql, sql`r.created_at`, window)}`,
    costMin === null ? sql`` : sql`and r.cost_total >= ${costMin.toString()}::numeric`,
    totalMsMin === null ? sql`` : sql`and r.total_ms >= ${totalMsMin}::float8`,
    Object.keys(metadata).length === 0
      ? sql``
      : sql`and r.metadata @> ${storableJson(storableLabels(metadata))}::text::jsonb`,
  ]}`;
}

/** Whether the row `r` of `switchyard.request` is shown. */
export function isSeen(sql: postgres.Sql, view: View): postgres.Fragment {
  switch (view.kind) {
    case 'everybody':
      return sql`true`;
    case 'one':
      return sql`(r.account = ${storableText(view.account)} or r.key_line = ${storableText(view.line)})`;
    case 'nobody':
      return sql`false`;
    default:
      return view satisfies never;
  }
}

/** Whether an instant lies in a window. The window's end does not. */
export function isWithin(sql: postgres.Sql, instant: postgres.Fragment, window: Window): postgres.Fragment {
  return sql`${instant} >= ${storableInstant(window.fromMs)}::timestamptz
    and ${instant} < ${storableInstant(window.toMs)}::timestamptz`;
}

function listOf(sql: postgres.Sql, values: readonly string[]) {
  return sql(values.map(storableText));
}
