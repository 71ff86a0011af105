import {
  ANALYTICS_LIMITS,
  type AnalyticsGroup,
  type AnalyticsPoint,
  type AnalyticsQuery,
  type AnalyticsReport,
  type Dimension,
  type MetricSet,
  NO_VALUE,
  OTHER_VALUE,
  type ProviderQuery,
  type ViewedQuery,
  type Window,
} from './analytics.ts';
import type { AttemptReport } from './decision.ts';
import { metricsOf } from './metric-set.ts';
import { isMatch, isWithin } from './request-filter.ts';
import type { RequestRecord } from './request-record.ts';
import { type EpochMs, later } from './time.ts';
import { isSeen } from './view.ts';

/** The requests and the attempts that belong to one group. Grows while it is filled. */
interface Heap {
  readonly keys: readonly string[];
  readonly requests: RequestRecord[];
  readonly attempts: AttemptReport[];
}

/** What the place of a group depends on. */
export interface GroupSize {
  readonly keys: readonly string[];
  readonly requests: number;
  readonly attempts: number;
}

/** All numbers of a query. `records` may be more than the query asks for, in any order. */
export function analyseRecords(
  records: Iterable<RequestRecord>,
  query: ViewedQuery,
  freshUntilMs: EpochMs,
): AnalyticsReport {
  checkAnalyticsQuery(query);
  const requests = Array.from(records).filter(
    (record) =>
      isSeen(record, query.view) && isWithin(record.createdAtMs, query.window) && isMatch(record, query.filter),
  );
  return {
    totals: metricsOf(requests, attemptsOf(requests)),
    groups: groupsOf(requests, query),
    series: query.intervalsMs.map((widthMs) => seriesOf(requests, query.window, widthMs)),
    freshUntilMs,
  };
}

/** The numbers of one provider: the requests it answered or failed last, and all attempts on it. */
export function statsOfProvider(
  records: Iterable<RequestRecord>,
  { provider, window, view }: ProviderQuery,
): MetricSet {
  const requests = Array.from(records).filter((record) => isSeen(record, view) && isWithin(record.createdAtMs, window));
  return metricsOf(
    requests.filter((request) => request.provider === provider),
    attemptsOf(requests).filter((attempt) => attempt.provider === provider),
  );
}

/** Throws when a query breaks a limit of ANALYTICS_LIMITS: the doors let none through. */
export function checkAnalyticsQuery(query: AnalyticsQuery): void {
  const { groupBy, groupsMax, intervalsMs } = query;
  if (groupBy.length > ANALYTICS_LIMITS.dimensionsMax) throw new RangeError(`too many dimensions: ${groupBy.length}`);
  if (!Number.isInteger(groupsMax) || groupsMax < 1 || groupsMax > ANALYTICS_LIMITS.groupsMax) {
    throw new RangeError(`groupsMax must be 1..${ANALYTICS_LIMITS.groupsMax}, got ${groupsMax}`);
  }
  for (const widthMs of intervalsMs) {
    if (!Number.isInteger(widthMs) || widthMs < 1) throw new RangeError(`an interval must be 1 ms or more: ${widthMs}`);
    const points = pointCountOf(query.window, widthMs);
    if (points > ANALYTICS_LIMITS.pointsMax) throw new RangeError(`too many points: ${points}`);
  }
}

/** When the points of a series start: every `widthMs` from the window's start, the last one cut off by its end. */
export function pointTimesOf(window: Window, widthMs: number): readonly EpochMs[] {
  return Array.from({ length: pointCountOf(window, widthMs) }, (_, index) => later(window.fromMs, index * widthMs));
}

/** Most requests first, then most attempts, then by keys. The group named `other` comes last, whatever is in it. */
export function compareGroups(first: GroupSize, second: GroupSize): number {
  return (
    Number(isRest(first.keys)) - Number(isRest(second.keys)) ||
    second.requests - first.requests ||
    second.attempts - first.attempts ||
    compareKeys(first.keys, second.keys)
  );
}

function attemptsOf(requests: readonly RequestRecord[]): readonly AttemptReport[] {
  return requests.flatMap((request) => request.routing.attempts);
}

function groupsOf(requests: readonly RequestRecord[], query: AnalyticsQuery): readonly AnalyticsGroup[] {
  const { groupBy, groupsMax } = query;
  if (groupBy.length === 0) return [];
  const ranked = heapsOf(requests, groupBy).toSorted((first, second) => compareGroups(sizeOf(first), sizeOf(second)));
  // A group that is really called `other` ranks last, so it is in the rest when there is one: no name appears twice.
  const kept = ranked.slice(0, groupsMax);
  const rest = ranked.slice(groupsMax);
  const groups = kept.map((heap) => ({ keys: heap.keys, metrics: metricsOf(heap.requests, heap.attempts) }));
  return rest.length === 0 ? groups : [...groups, foldOf(rest, groupBy)];
}

function sizeOf(heap: Heap): GroupSize {
  return { keys: heap.keys, requests: heap.requests.length, attempts: heap.attempts.length };
}

function heapsOf(requests: readonly RequestRecord[], groupBy: readonly Dimension[]): readonly Heap[] {
  const heaps = new Map<string, Heap>();
  const heapOf = (keys: readonly string[]): Heap => {
    const name = JSON.stringify(keys);
    const heap = heaps.get(name) ?? { keys, requests: [], attempts: [] };
    heaps.set(name, heap);
    return heap;
  };
  for (const request of requests) {
    heapOf(groupBy.map((dimension) => keyOf(request, dimension))).requests.push(request);
    for (const attempt of request.routing.attempts) {
      heapOf(groupBy.map((dimension) => keyOfAttempt(request, attempt, dimension))).attempts.push(attempt);
    }
  }
  return [...heaps.values()];
}

/** The rest as one group: its numbers are counted again from its requests, since percentiles cannot be added up. */
function foldOf(heaps: readonly Heap[], groupBy: readonly Dimension[]): AnalyticsGroup {
  return {
    keys: groupBy.map(() => OTHER_VALUE),
    metrics: metricsOf(
      heaps.flatMap((heap) => heap.requests),
      heaps.flatMap((heap) => heap.attempts),
    ),
  };
}

/** Attempts count at the instant of their request, so that a point holds whole requests. */
function seriesOf(requests: readonly RequestRecord[], window: Window, widthMs: number): readonly AnalyticsPoint[] {
  const byPoint = Map.groupBy(requests, (request) => Math.floor((request.createdAtMs - window.fromMs) / widthMs));
  return pointTimesOf(window, widthMs).map((atMs, index) => {
    const within = byPoint.get(index) ?? [];
    return { atMs, metrics: metricsOf(within, attemptsOf(within)) };
  });
}

function keyOf(request: RequestRecord, dimension: Dimension): string {
  switch (dimension) {
    case 'provider':
      return request.provider ?? NO_VALUE;
    case 'model':
      return request.model ?? NO_VALUE;
    case 'category':
      return request.category;
    case 'user':
      return request.userId ?? NO_VALUE;
    case 'apiKey':
      return request.apiKey?.line ?? NO_VALUE;
    case 'door':
      return request.door;
    case 'status':
      return request.status;
    default:
      return dimension satisfies never;
  }
}

/** An attempt belongs to the provider that was called, which need not be the one that answered in the end. */
function keyOfAttempt(request: RequestRecord, attempt: AttemptReport, dimension: Dimension): string {
  if (dimension === 'provider') return attempt.provider;
  return dimension === 'model' ? attempt.model : keyOf(request, dimension);
}

function pointCountOf(window: Window, widthMs: number): number {
  return Math.max(0, Math.ceil((window.toMs - window.fromMs) / widthMs));
}

function isRest(keys: readonly string[]): boolean {
  return keys.length > 0 && keys.every((key) => key === OTHER_VALUE);
}

function compareKeys(first: readonly string[], second: readonly string[]): number {
  for (const [index, key] of first.entries()) {
    const order = compareCodePoints(key, second[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

/** As PostgreSQL's collation "C" has it. `<` would compare UTF-16 units, which differs beyond the basic plane. */
function compareCodePoints(first: string, second: string): number {
  const others = second[Symbol.iterator]();
  for (const char of first) {
    const other = others.next();
    if (other.done) return 1;
    if (char !== other.value) return (char.codePointAt(0) ?? 0) - (other.value.codePointAt(0) ?? 0);
  }
  return others.next().done ? 0 : -1;
}
