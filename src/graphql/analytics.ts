import { ANALYTICS_LIMITS, type AnalyticsGroup, type AnalyticsPoint, type Dimension } from '../core/analytics.ts';
import { type AnalyticsDesk, makeAnalyticsDesk } from './analytics-desk.ts';
import { builder } from './builder.ts';
import { invalidInput } from './door-error.ts';
import { MetricSetRef } from './refs.ts';
import { parseFilter, RequestFilterInput } from './request-filter.ts';
import { parseWindow, TimeWindowInput } from './window.ts';

const WINDOW = { last: 3_600_000 } as const;
const GROUPS_MAX = 50;

const AnalyticsDimensionEnum = builder.enumType('AnalyticsDimension', {
  description: 'What analytics can be grouped by.',
  values: {
    PROVIDER: { value: 'provider', description: 'Provider.' },
    MODEL: { value: 'model', description: 'Model.' },
    CATEGORY: { value: 'category', description: 'Prompt category.' },
    USER: { value: 'user', description: 'Billed user.' },
    API_KEY: { value: 'apiKey', description: 'API key.' },
    DOOR: { value: 'door', description: 'GraphQL or REST.' },
    STATUS: { value: 'status', description: 'Request status.' },
  },
});

interface KeyShape {
  readonly dimension: Dimension;
  readonly value: string;
}

interface GroupShape {
  readonly keys: readonly KeyShape[];
  readonly metrics: AnalyticsGroup['metrics'];
}

const AnalyticsKeyRef = builder.objectRef<KeyShape>('AnalyticsKey').implement({
  description: 'One value of a dimension.',
  fields: (t) => ({
    dimension: t.expose('dimension', { type: AnalyticsDimensionEnum, description: 'The dimension.' }),
    value: t.exposeString('value', { description: 'The value; `other` for the folded rest.' }),
  }),
});

const AnalyticsGroupRef = builder.objectRef<GroupShape>('AnalyticsGroup').implement({
  description: 'Numbers of one group.',
  fields: (t) => ({
    keys: t.field({
      type: [AnalyticsKeyRef],
      description: "The group's values, one for each dimension asked for, in order.",
      resolve: ({ keys }) => keys,
    }),
    metrics: t.expose('metrics', { type: MetricSetRef, description: 'The numbers.' }),
  }),
});

const AnalyticsPointRef = builder.objectRef<AnalyticsPoint>('AnalyticsPoint').implement({
  description: 'One point of a time series.',
  fields: (t) => ({
    at: t.expose('atMs', { type: 'DateTime', description: 'Start of the interval.' }),
    metrics: t.expose('metrics', { type: MetricSetRef, description: 'The numbers.' }),
  }),
});

const AnalyticsRef = builder.objectRef<AnalyticsDesk>('Analytics').implement({
  description: 'Numbers over a window.',
  fields: (t) => ({
    from: t.field({
      type: 'DateTime',
      description: 'Start of the window.',
      resolve: ({ query }) => query.window.fromMs,
    }),
    to: t.field({ type: 'DateTime', description: 'End of the window.', resolve: ({ query }) => query.window.toMs }),
    totals: t.field({
      type: MetricSetRef,
      description: 'Everything together.',
      resolve: async (desk) => (await desk.report()).totals,
    }),
    groups: t.field({
      type: [AnalyticsGroupRef],
      description: 'One entry per group, most requests first.',
      resolve: async (desk) => (await desk.report()).groups.map((group) => withNames(group, desk.query.groupBy)),
    }),
    series: t.field({
      type: [AnalyticsPointRef],
      description: 'A time series over the whole window.',
      args: {
        interval: t.arg({
          type: 'Duration',
          description: 'Width of one point; chosen to give at most 120 points when empty.',
        }),
      },
      resolve: (desk, { interval }) => desk.series(interval ?? null),
    }),
    freshUntil: t.field({
      type: 'DateTime',
      description: 'The numbers include every request finished before this moment.',
      resolve: async (desk) => (await desk.report()).freshUntilMs,
    }),
  }),
});

builder.queryField('analytics', (t) =>
  t.field({
    type: AnalyticsRef,
    description: 'Totals, percentiles and a time series over a window, optionally grouped.',
    extensions: { access: 'requests:read' },
    args: {
      window: t.arg({ type: TimeWindowInput, description: 'The window to cover.', defaultValue: WINDOW }),
      groupBy: t.arg({
        type: [AnalyticsDimensionEnum],
        description: 'Dimensions to group by, at most two.',
        defaultValue: [],
      }),
      filter: t.arg({ type: RequestFilterInput, description: 'Keeps only the requests that match.' }),
      limit: t.arg.int({
        description: 'Most groups returned; the rest is folded into one group named `other`.',
        defaultValue: GROUPS_MAX,
      }),
    },
    resolve: (_root, args, context) =>
      makeAnalyticsDesk(context, {
        window: parseWindow(args.window ?? WINDOW, context.gateway),
        groupBy: parseGroupBy(args.groupBy ?? []),
        filter: parseFilter(args.filter, context.gateway),
        groupsMax: parseLimit(args.limit ?? GROUPS_MAX),
      }),
  }),
);

function withNames(group: AnalyticsGroup, groupBy: readonly Dimension[]): GroupShape {
  return {
    metrics: group.metrics,
    keys: groupBy.map((dimension, index) => ({ dimension, value: group.keys[index] ?? '' })),
  };
}

function parseGroupBy(groupBy: readonly Dimension[]): readonly Dimension[] {
  const { dimensionsMax } = ANALYTICS_LIMITS;
  if (groupBy.length > dimensionsMax) {
    throw invalidInput(`\`groupBy\` takes at most ${dimensionsMax} dimensions, got ${groupBy.length}.`);
  }
  if (new Set(groupBy).size < groupBy.length) throw invalidInput('`groupBy` names a dimension twice.');
  return groupBy;
}

function parseLimit(limit: number): number {
  const { groupsMax } = ANALYTICS_LIMITS;
  if (limit >= 1 && limit <= groupsMax) return limit;
  throw invalidInput(`\`limit\` must be from 1 to ${groupsMax}, got ${limit}.`);
}
