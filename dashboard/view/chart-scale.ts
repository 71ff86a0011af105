/** A chart's box in pixels, and what of it the axes need. */
export const BOX = { height: 200, start: 60, end: 8, top: 8, bottom: 24 } as const;

const SECOND_MS = 1_000;
const TIME_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600] as const;
/** Least distance of two times on the axis, so that their texts do not touch. */
const TIME_GAP_PX = 84;
/** A chart that has only begun is this wide at least. */
const SPAN_MS_MIN = 60 * SECOND_MS;
/** About so many values on the axis. */
const VALUE_STEPS = 4;

/** From what is measured to where it is drawn. */
export interface Scale {
  readonly x: (atMs: number) => number;
  readonly y: (value: number) => number;
  /** Where times are written. */
  readonly times: readonly number[];
  /** Where values are written, from 0 up. */
  readonly values: readonly number[];
}

/** The scale of points in a box of this width. The values begin at 0: a line that looks high is high. */
export function scaleOf(times: readonly number[], valueMax: number, widthPx: number): Scale {
  const last = times.at(-1) ?? 0;
  const first = Math.min(times[0] ?? 0, last - SPAN_MS_MIN);
  const step = niceStep(valueMax / VALUE_STEPS);
  const count = Math.max(1, Math.ceil(valueMax / step - 1e-9));
  const inner = Math.max(1, widthPx - BOX.start - BOX.end);
  const innerHeight = BOX.height - BOX.top - BOX.bottom;
  return {
    x: (atMs) => BOX.start + ((atMs - first) / (last - first)) * inner,
    y: (value) => BOX.top + innerHeight * (1 - value / (count * step)),
    times: timesBetween(first, last, inner),
    values: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

/** A line through all that is known, as SVG writes it. What is not known is a gap. */
export function pathOf(points: readonly (readonly [x: number, y: number | null])[]): string {
  let isDrawing = false;
  return points
    .map(([x, y]) => {
      const pen = isDrawing ? 'L' : 'M';
      isDrawing = y !== null;
      // A point on its own is a line of no length: round ends make it a dot.
      return y === null ? '' : `${pen}${x.toFixed(1)} ${y.toFixed(1)}${pen === 'M' ? 'h0' : ''}`;
    })
    .join('');
}

/** The smallest of 1, 2 and 5 with any number of zeros that is not below this one; 1 for nothing. */
export function niceStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const nice = [1, 2, 5].find((digit) => digit * power >= least * (1 - 1e-9));
  return (nice ?? 10) * power;
}

function timesBetween(first: number, last: number, widthPx: number): readonly number[] {
  const leastS = ((last - first) / SECOND_MS) * (TIME_GAP_PX / widthPx);
  const stepMs = (TIME_STEPS_S.find((seconds) => seconds >= leastS) ?? 3_600) * SECOND_MS;
  const begin = Math.ceil(first / stepMs) * stepMs;
  return Array.from(
    { length: Math.max(0, Math.floor((last - begin) / stepMs) + 1) },
    (_, index) => begin + index * stepMs,
  );
}
