import { TICK_LIMITS, type Tick } from '../core/tick.ts';
import type { LiveTick, TickWatch } from '../gateway/gateway.ts';
import { builder } from './builder.ts';
import type { OperationContext } from './context.ts';
import { doorError, invalidInput } from './door-error.ts';
import { formatDuration } from './duration.ts';
import { providerOf } from './provider-shape.ts';
import { MetricSetRef, ProviderRef } from './refs.ts';

const EVERY_MS = 1_000;
const WINDOW_MS = 60_000;

const ProviderTickRef = builder.objectRef<Tick['providers'][number]>('ProviderTick').implement({
  description: 'A rolling summary of one provider.',
  fields: (t) => ({
    provider: t.field({
      type: ProviderRef,
      description: 'The provider.',
      resolve: ({ provider }, _args, context) => providerOf(context, provider),
    }),
    metrics: t.expose('metrics', { type: MetricSetRef, description: 'The numbers.' }),
  }),
});

const AnalyticsTickRef = builder.objectRef<LiveTick>('AnalyticsTick').implement({
  description: 'A rolling summary.',
  fields: (t) => ({
    at: t.expose('atMs', { type: 'DateTime', description: 'When it was made.' }),
    totals: t.expose('totals', { type: MetricSetRef, description: 'The rolling window, all providers.' }),
    providers: t.field({
      type: [ProviderTickRef],
      description: 'The rolling window by provider.',
      resolve: ({ providers }) => providers,
    }),
    burnUsdPerHour: t.expose('burnPerHour', {
      type: 'Decimal',
      description: 'Spending per hour at the present pace.',
    }),
    inFlight: t.exposeInt('inFlight', { description: 'Requests under way now, all replicas.' }),
  }),
});

builder.subscriptionField('analyticsTicks', (t) =>
  t.field({
    type: AnalyticsTickRef,
    description: 'A rolling summary at a steady pace, ready to draw.',
    extensions: { access: 'requests:read' },
    args: {
      every: t.arg({ type: 'Duration', description: 'Time between ticks, 250 ms to 60 s.', defaultValue: EVERY_MS }),
      window: t.arg({
        type: 'Duration',
        description: 'The rolling window each tick summarises.',
        defaultValue: WINDOW_MS,
      }),
    },
    subscribe: (_root, { every, window }, context) => {
      const { everyMsMin, everyMsMax, windowMsMin, windowMsMax } = TICK_LIMITS;
      const everyMs = parseSpan(every ?? EVERY_MS, { name: 'every', msMin: everyMsMin, msMax: everyMsMax });
      const windowMs = parseSpan(window ?? WINDOW_MS, { name: 'window', msMin: windowMsMin, msMax: windowMsMax });
      const { caller, signal } = context;
      return watch({ pace: { everyMs, windowMs }, caller, signal }, context);
    },
    resolve: (tick) => tick,
  }),
);

function parseSpan(ms: number, of: { readonly name: string; readonly msMin: number; readonly msMax: number }): number {
  if (ms >= of.msMin && ms <= of.msMax) return ms;
  throw invalidInput(
    `\`${of.name}\` must be from ${formatDuration(of.msMin)} to ${formatDuration(of.msMax)}, got ${formatDuration(ms)}.`,
  );
}

async function watch(wish: TickWatch, context: OperationContext): Promise<AsyncIterable<LiveTick>> {
  const answer = await context.gateway.watchTicks(wish);
  if (answer.kind === 'tooManyWatchers') throw doorError('TOO_MANY_WATCHERS', answer.message);
  return ticksOf(answer.ticks, context);
}

async function* ticksOf(ticks: AsyncIterable<LiveTick>, { surveys }: OperationContext): AsyncGenerator<LiveTick> {
  for await (const tick of ticks) {
    // One subscription is one operation: each tick shows its providers as they are then, to all who are told of it alike.
    surveys.lookThrough(() => tick.survey());
    yield tick;
  }
}
