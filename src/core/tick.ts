import { type AnalyticsReport, type MetricSet, NO_VALUE, OTHER_VALUE, type Window } from './analytics.ts';
import { type ProviderKey, providerKey } from './ids.ts';
import { NO_METRICS } from './metric-set.ts';
import { type PicoUsd, picoUsd } from './money.ts';
import type { EpochMs } from './time.ts';

/** Times between two ticks, and windows. There are few, so that all of them can be had at once: nobody takes a pace from others. */
const STEPS = {
  everyMs: [250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000],
  windowMs: [1_000, 10_000, 60_000, 300_000, 900_000, 3_600_000],
} as const;

/** How often a summary may be asked for, and over how long a window. A longer one is what `analytics` is for. */
export const TICK_LIMITS = {
  everyMsMin: Math.min(...STEPS.everyMs),
  everyMsMax: Math.max(...STEPS.everyMs),
  windowMsMin: Math.min(...STEPS.windowMs),
  windowMsMax: Math.max(...STEPS.windowMs),
} as const;

const HOUR_MS = 3_600_000n;

/** What summaries somebody wants: one every so often, each over a window that ends with it. */
export interface Pace {
  readonly everyMs: number;
  readonly windowMs: number;
}

/** A summary of the window that ended when it was made. */
export interface Tick {
  readonly atMs: EpochMs;
  readonly totals: MetricSet;
  /** All of the registry in its order, then those that the log still knows. */
  readonly providers: readonly { readonly provider: ProviderKey; readonly metrics: MetricSet }[];
  /** What an hour would cost that went on as the window did. */
  readonly burnPerHour: PicoUsd;
  /** Requests with an attempt under way, on all replicas. */
  readonly inFlight: number;
}

/** The pace that whoever wishes for this one is given: the next longer steps. Throws beyond TICK_LIMITS: the doors let nothing through. */
export function paceFor(wish: Pace): Pace {
  const { everyMsMin, windowMsMin } = TICK_LIMITS;
  const everyMs = wish.everyMs < everyMsMin ? undefined : STEPS.everyMs.find((stepMs) => stepMs >= wish.everyMs);
  const windowMs = wish.windowMs < windowMsMin ? undefined : STEPS.windowMs.find((stepMs) => stepMs >= wish.windowMs);
  if (everyMs === undefined) throw new RangeError(`no pace of ticks: ${wish.everyMs} ms`);
  if (windowMs === undefined) throw new RangeError(`no window of ticks: ${wish.windowMs} ms`);
  return { everyMs, windowMs };
}

/** `report` is of the window, grouped by provider. */
export function tickOf(of: {
  readonly window: Window;
  readonly report: AnalyticsReport;
  readonly registered: readonly ProviderKey[];
  readonly inFlight: number;
}): Tick {
  const { window, report, registered, inFlight } = of;
  const metricsOf = new Map(report.groups.map(({ keys, metrics }) => [keys[0] ?? NO_VALUE, metrics]));
  const gone = [...metricsOf.keys()].map(providerKey).filter((key) => !registered.includes(key) && isProvider(key));
  return {
    atMs: window.toMs,
    totals: report.totals,
    providers: [...registered, ...gone].map((provider) => ({
      provider,
      metrics: metricsOf.get(provider) ?? NO_METRICS,
    })),
    burnPerHour: picoUsd((report.totals.cost * HOUR_MS) / BigInt(window.toMs - window.fromMs)),
    inFlight,
  };
}

/** When the next tick is due, by the same clock: at a whole number of steps from the first one, so that the pace never drifts. Late ones are left out. */
export function nextTickMs(
  pace: Pick<Pace, 'everyMs'>,
  { firstMs, nowMs }: { firstMs: number; nowMs: number },
): number {
  return firstMs + (Math.floor((nowMs - firstMs) / pace.everyMs) + 1) * pace.everyMs;
}

/** The log has requests without a provider, and may have folded some. */
function isProvider(key: string): boolean {
  return key !== NO_VALUE && key !== OTHER_VALUE;
}
