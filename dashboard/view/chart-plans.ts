import { LIMITS, type TickPoint } from '../model/room-state.ts';
import { pathOf, type Scale } from './chart-scale.ts';
import { moneyText, moneyTextShort } from './money-text.ts';
import { countText, UNKNOWN } from './number-text.ts';
import { spanText } from './time-text.ts';

/** One line of a chart. */
export interface Line {
  readonly name: string;
  /** The class that gives it its colour. */
  readonly color: string;
  /** Lengths of strokes and gaps in pixels, so that lines are told apart without colour. Empty: unbroken. */
  readonly dash: string;
  readonly read: (point: TickPoint) => number | null;
}

export interface ChartPlan {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly text: (value: number | null) => string;
  /** The round values of its axis. */
  readonly axis: (value: number) => string;
}

const DASHES = ['', '7 4', '1 4', '10 4 1 4', '4 4', '14 4'] as const;
/** Points come each second: between two that are farther apart nobody measured. */
const GAP_MS = 5_000;
const COLORS_OF_PROVIDERS = 6;
/** Rows of a chart's table: the newest, and some before it, evenly. */
const TABLE_ROWS = 60;

const whole = (count: number | null) => (count === null ? UNKNOWN : countText(count));

export const LATENCY: ChartPlan = {
  id: 'latency',
  title: 'Latency percentiles',
  text: spanText,
  axis: spanText,
  lines: [
    { name: 'p50', color: 'line-1', dash: DASHES[0], read: ({ p50Ms }) => p50Ms },
    { name: 'p95', color: 'line-2', dash: DASHES[1], read: ({ p95Ms }) => p95Ms },
    { name: 'p99', color: 'line-3', dash: DASHES[2], read: ({ p99Ms }) => p99Ms },
  ],
};

export const OUTCOMES: ChartPlan = {
  id: 'outcomes',
  title: 'Requests by outcome',
  text: whole,
  axis: countText,
  lines: [
    { name: 'answered', color: 'line-good', dash: DASHES[0], read: ({ succeeded }) => succeeded },
    { name: 'failed', color: 'line-bad', dash: DASHES[1], read: ({ failed }) => failed },
    { name: 'refused', color: 'line-warn', dash: DASHES[2], read: ({ refused }) => refused },
  ],
};

export function spendPlan(providers: readonly string[]): ChartPlan {
  return {
    id: 'spend',
    title: 'Spend by provider',
    text: (usd) => (usd === null ? UNKNOWN : moneyTextShort(usd.toFixed(12))),
    axis: (usd) => moneyText(usd.toFixed(12)),
    lines: providers.map((key, index) => ({
      name: key,
      color: `line-${(index % COLORS_OF_PROVIDERS) + 1}`,
      dash: DASHES[index % DASHES.length] ?? '',
      read: ({ providers: points }) => points.find((point) => point.key === key)?.costUsd ?? 0,
    })),
  };
}

/** A line through what was measured. Where nothing was, such as while the connection was lost, it breaks. */
export function pathThrough(series: readonly TickPoint[], { read }: Line, { x, y }: Scale): string {
  return pathOf(
    series.flatMap((point, index) => {
      const value = read(point);
      const at = [x(point.atMs), value === null ? null : y(value)] as const;
      const before = series[index - 1];
      const isAfterGap = before !== undefined && point.atMs - before.atMs > GAP_MS;
      return isAfterGap ? [[at[0], null] as const, at] : [at];
    }),
  );
}

/** The points that a table shows, newest first. */
export function tableRows(series: readonly TickPoint[]): readonly TickPoint[] {
  const step = Math.max(1, Math.ceil(Math.min(series.length, LIMITS.seriesMax) / TABLE_ROWS));
  return series.toReversed().filter((_, index) => index % step === 0);
}

/** A chart in a sentence, for those who do not see it. */
export function summaryOf({ title, lines, text }: ChartPlan, series: readonly TickPoint[]): string {
  const newest = series.at(-1);
  if (newest === undefined) return `${title}: no data yet.`;
  return `${title}: ${lines.map((line) => `${line.name} ${text(line.read(newest))}`).join(', ')} now.`;
}
