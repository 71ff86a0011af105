import {
  ANALYTICS_LIMITS,
  type AnalyticsPoint,
  type AnalyticsQuery,
  type AnalyticsReport,
  type Window,
} from '../core/analytics.ts';
import type { OperationContext } from './context.ts';
import { invalidInput } from './door-error.ts';
import { formatDuration } from './duration.ts';

/** Widths that read well on an axis: 1 s to 7 d. */
const ROUND_INTERVALS_MS = [
  1_000, 5_000, 15_000, 30_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000,
] as const;

/** Different series of one field: each costs a pass over the window. */
const SERIES_MAX = 5;

/**
 * One `analytics` field. Its totals, groups and every series come out of one snapshot: the fields below it are all called before
 * any of them may wait, so that the gateway is asked once, in the next microtask, with the widths that have gathered by then.
 */
export interface AnalyticsDesk {
  readonly query: Omit<AnalyticsQuery, 'intervalsMs'>;
  report(): Promise<AnalyticsReport>;
  /** Null: a round width that gives at most 120 points. */
  series(intervalMs: number | null): Promise<readonly AnalyticsPoint[]>;
}

export function makeAnalyticsDesk(
  { gateway, caller }: Pick<OperationContext, 'gateway' | 'caller'>,
  query: Omit<AnalyticsQuery, 'intervalsMs'>,
): AnalyticsDesk {
  const intervalsMs: number[] = [];
  let asked: Promise<AnalyticsReport> | null = null;
  const report = () => {
    asked ??= Promise.resolve().then(() => gateway.analyse({ ...query, intervalsMs: [...intervalsMs] }, caller));
    return asked;
  };
  return {
    query,
    report,
    async series(wishMs) {
      const intervalMs = wishMs ?? roundInterval(query.window);
      checkInterval(query.window, intervalMs);
      if (!intervalsMs.includes(intervalMs)) {
        if (intervalsMs.length === SERIES_MAX)
          throw invalidInput(`Ask for at most ${SERIES_MAX} different intervals at once.`);
        intervalsMs.push(intervalMs);
      }
      const { series } = await report();
      const points = series[intervalsMs.indexOf(intervalMs)];
      if (points === undefined) throw new RangeError('the report leaves out a series it was asked for');
      return points;
    },
  };
}

/** The smallest round width that gives few enough points to draw. */
export function roundInterval(window: Window): number {
  const widest = ROUND_INTERVALS_MS.at(-1) ?? 0;
  return ROUND_INTERVALS_MS.find((widthMs) => pointsOf(window, widthMs) <= ANALYTICS_LIMITS.pointsDefault) ?? widest;
}

function checkInterval(window: Window, intervalMs: number): void {
  const { pointsMax } = ANALYTICS_LIMITS;
  if (pointsOf(window, intervalMs) <= pointsMax) return;
  const leastMs = ROUND_INTERVALS_MS.find((widthMs) => pointsOf(window, widthMs) <= pointsMax) ?? 604_800_000;
  throw invalidInput(
    `\`interval\` ${formatDuration(intervalMs)} would give more than ${pointsMax} points: ask for ${formatDuration(leastMs)} or wider, or a shorter window.`,
  );
}

function pointsOf(window: Window, widthMs: number): number {
  return Math.ceil((window.toMs - window.fromMs) / widthMs);
}
