import { type AnalyticsReport, type MetricSet, NO_VALUE, OTHER_VALUE, type Window } from './analytics.ts';
import { type ProviderKey, providerKey } from './ids.ts';
import { NO_METRICS } from './metric-set.ts';
import { type PicoUsd, picoUsd } from './money.ts';
import type { EpochMs } from './time.ts';

/** How often a summary may be asked for, and over how long a window. A longer one is what `analytics` is for. */
export const TICK_LIMITS = {
  everyMsMin: 250,
  everyMsMax: 60_000,
  windowMsMin: 1_000,
  windowMsMax: 3_600_000,
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

/** Throws when a pace breaks a limit of TICK_LIMITS: the doors let none through. */
export function checkPace({ everyMs, windowMs }: Pace): void {
  const { everyMsMin, everyMsMax, windowMsMin, windowMsMax } = TICK_LIMITS;
  if (!(everyMs >= everyMsMin && everyMs <= everyMsMax)) throw new RangeError(`no pace of ticks: ${everyMs} ms`);
  if (!(windowMs >= windowMsMin && windowMs <= windowMsMax)) throw new RangeError(`no window of ticks: ${windowMs} ms`);
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
