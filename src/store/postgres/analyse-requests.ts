import type postgres from 'postgres';
import {
  type AnalyticsGroup,
  type AnalyticsQuery,
  type AnalyticsReport,
  type Dimension,
  type MetricSet,
  NO_VALUE,
  OTHER_VALUE,
  type ProviderQuery,
  type ViewedQuery,
} from '../../core/analytics.ts';
import { decodeList, decodeNumber, decodeText } from '../../core/decode.ts';
import { checkAnalyticsQuery, compareGroups, type GroupSize, pointTimesOf } from '../../core/tally.ts';
import { epochMs } from '../../core/time.ts';
import { conditionsOf, isSeen, isWithin } from './request-conditions.ts';
import { attemptMetrics, decodeMetrics, requestMetrics } from './request-metrics.ts';
import { storableText } from './storable.ts';

/** One line of the answer: numbers of one half at one place. */
interface Line {
  readonly half: 'requests' | 'attempts';
  /** The group's keys or null, then for each series the number of the point or null. All null: the totals. */
  readonly place: readonly unknown[];
  readonly metrics: unknown;
}

/** All numbers of a query in one statement, and so out of one snapshot. */
export async function fetchAnalytics(sql: postgres.Sql, query: ViewedQuery): Promise<AnalyticsReport> {
  checkAnalyticsQuery(query);
  // The clock is read before the snapshot is taken: what was recorded by then is in it. The other way round, it might not be.
  const [clock] = await sql`select floor(extract(epoch from switchyard.clock()) * 1000)::float8 as now_ms`;
  const lines = await sql<Line[]>`${analyticsStatement(sql, query)}`;
  const metricsAt = metricsByPlace(lines);
  const blank: readonly unknown[] = query.intervalsMs.map(() => null);
  return {
    totals: metricsAt(JSON.stringify([null, ...blank])),
    groups: groupsOf(lines, metricsAt),
    series: query.intervalsMs.map((widthMs, series) =>
      pointTimesOf(query.window, widthMs).map((atMs, point) => ({
        atMs,
        metrics: metricsAt(JSON.stringify([null, ...blank.with(series, point)])),
      })),
    ),
    freshUntilMs: epochMs(decodeNumber(clock?.now_ms)),
  };
}

/** The numbers of one provider, requests and attempts out of one snapshot. */
export async function fetchProviderStats(
  sql: postgres.Sql,
  { provider, window, view }: ProviderQuery,
): Promise<MetricSet> {
  const condition = sql`provider = ${storableText(provider)} and ${isWithin(sql, sql`created_at`, window)}`;
  // An attempt is its request's owner's. Whoever sees all need not ask whose each is.
  const owner =
    view.kind === 'everybody'
      ? sql`true`
      : sql`exists (select from switchyard.request r
          where r.id = a.request_id and r.created_at = a.created_at and ${isSeen(sql, view)})`;
  const [halves] = await sql`
    select
      (select ${requestMetrics(sql)} from switchyard.request r where ${condition} and ${isSeen(sql, view)}) as requests,
      (select ${attemptMetrics(sql)} from switchyard.attempt a where ${condition} and ${owner}) as attempts`;
  return decodeMetrics(halves?.requests, halves?.attempts);
}

/**
 * The requests and the attempts that are asked for are read once, then counted at every place at once: as totals, by
 * group, and by point of each series. `key` is a group's own name, `name` the one it has after the rest was folded.
 */
function analyticsStatement(sql: postgres.Sql, query: ViewedQuery): postgres.Fragment {
  const { groupBy, window } = query;
  const points = query.intervalsMs.map((_, series) => sql.unsafe(`, p${series}`));
  const pointSets = query.intervalsMs.map((_, series) => sql.unsafe(`, (p${series})`));
  const hasGroups = groupBy.length > 0;
  const place = sql`jsonb_build_array(${hasGroups ? sql`name` : sql`null`} ${[sql``, ...points]})`;
  const sets = sql`grouping sets (() ${hasGroups ? sql`, (name)` : sql``} ${[sql``, ...pointSets]})`;
  const naming = hasGroups ? sql`join named using (key)` : sql``;
  return sql`
    with asked as materialized (
      select r.id, r.created_at, r.status, r.door, r.is_streamed, r.user_id, r.key_line, r.provider, r.model, r.category, r.fell_back,
        r.input_tokens, r.output_tokens, r.cost_total, r.saved, r.total_ms, r.first_token_ms, r.overhead_ms,
        ${keyOf(sql, groupBy, 'r')} as key ${[sql``, ...pointColumns(sql, query)]}
      from switchyard.request r
      where ${isWithin(sql, sql`r.created_at`, window)} and ${conditionsOf(sql, query)}
    ), attempted as materialized (
      select a.outcome, ${keyOf(sql, groupBy, 'a')} as key ${[sql``, ...points]}
      from asked r join switchyard.attempt a on a.request_id = r.id and a.created_at = r.created_at
      where ${isWithin(sql, sql`a.created_at`, window)}
    ), ranked as (
      select key, row_number() over (
        order by key = ${otherKey(sql, groupBy)}, sum(requests) desc, sum(attempts) desc, key collate "C") as rank
      from (
        select key, count(*) as requests, 0 as attempts from asked group by key
        union all
        select key, 0, count(*) from attempted group by key
      ) counted
      group by key
    ), named as (
      select key, case when rank > ${query.groupsMax}::int then ${otherKey(sql, groupBy)} else key end as name from ranked
    )
    select 'requests' as half, ${place} as place, ${requestMetrics(sql)} as metrics
    from asked ${naming} group by ${sets}
    union all
    select 'attempts', ${place}, ${attemptMetrics(sql)}
    from attempted ${naming} group by ${sets}`;
}

/** The number of the point that the row `r` lies in, for each series. No row lies before the window: division rounds down. */
function pointColumns(sql: postgres.Sql, { window, intervalsMs }: AnalyticsQuery): readonly postgres.Fragment[] {
  return intervalsMs.map(
    (widthMs, series) => sql`,
      ((extract(epoch from r.created_at) * 1000)::bigint - ${window.fromMs}::bigint) / ${widthMs}::bigint
      as ${sql.unsafe(`p${series}`)}`,
  );
}

/** The name of the group of a row. Provider and model are taken from `owner`: an attempt has its own, `r` has the rest. */
function keyOf(sql: postgres.Sql, groupBy: readonly Dimension[], owner: 'r' | 'a'): postgres.Fragment {
  const values = groupBy.map((dimension) => sql`, coalesce(${columnOf(sql, dimension, owner)}, ${NO_VALUE})`);
  return sql`array_remove(array[null ${[sql``, ...values]}]::text[], null)`;
}

function columnOf(sql: postgres.Sql, dimension: Dimension, owner: 'r' | 'a'): postgres.Fragment {
  switch (dimension) {
    case 'provider':
      return owner === 'r' ? sql`r.provider` : sql`a.provider`;
    case 'model':
      return owner === 'r' ? sql`r.model` : sql`a.model`;
    case 'category':
      return sql`r.category`;
    case 'user':
      return sql`r.user_id`;
    case 'apiKey':
      return sql`r.key_line`;
    case 'door':
      return sql`r.door`;
    case 'status':
      return sql`r.status`;
    default:
      return dimension satisfies never;
  }
}

function otherKey(sql: postgres.Sql, groupBy: readonly Dimension[]): postgres.Fragment {
  return sql`array_fill(${OTHER_VALUE}::text, array[${groupBy.length}::int])`;
}

function metricsByPlace(lines: readonly Line[]): (place: string) => MetricSet {
  const halves = new Map(lines.map((line) => [`${line.half} ${JSON.stringify(line.place)}`, line.metrics]));
  return (place) => decodeMetrics(halves.get(`requests ${place}`), halves.get(`attempts ${place}`));
}

/** A group may have attempts only: a provider that failed first and never answered. */
function groupsOf(lines: readonly Line[], metricsAt: (place: string) => MetricSet): readonly AnalyticsGroup[] {
  const places = new Map(
    lines.filter(({ place }) => place[0] !== null).map(({ place }) => [JSON.stringify(place), place]),
  );
  return [...places]
    .map(([name, [keys]]) => ({ keys: decodeList(keys, decodeText), metrics: metricsAt(name) }))
    .toSorted((first, second) => compareGroups(sizeOf(first), sizeOf(second)));
}

function sizeOf({ keys, metrics }: AnalyticsGroup): GroupSize {
  return { keys, requests: metrics.requests, attempts: metrics.attempts };
}
