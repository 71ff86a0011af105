import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { TickPoint } from '../model/room-state.ts';
import { type ChartPlan, pathThrough, summaryOf } from './chart-plans.ts';
import { BOX, type Scale, scaleOf } from './chart-scale.ts';
import { useRoom } from './room-context.ts';
import { clockText, clockTextShort } from './time-text.ts';

const MINUTE_MS = 60_000;

/** Lines over time, drawn as the browser's own shapes: they follow the theme and any zoom by themselves. */
export function LineChart({ plan }: { readonly plan: ChartPlan }) {
  const points = useRoom().see.series.value;
  const box = useRef<HTMLDivElement>(null);
  const widthPx = useSignal(0);
  /** The time under the pointer. Null: the newest one. */
  const pointed = useSignal<number | null>(null);
  useEffect(() => {
    if (box.current === null) return;
    const sizes = new ResizeObserver(([entry]) => {
      widthPx.value = Math.round(entry?.contentRect.width ?? 0);
    });
    sizes.observe(box.current);
    return () => sizes.disconnect();
  }, [widthPx]);
  const valueMax = Math.max(
    0,
    ...plan.lines.map((line) => points.reduce((max, at) => Math.max(max, line.read(at) ?? 0), 0)),
  );
  const scale = scaleOf(
    points.map(({ atMs }) => atMs),
    valueMax,
    widthPx.value,
  );
  const point = points.find(({ atMs }) => atMs === pointed.value) ?? points.at(-1) ?? null;
  const follow = ({ offsetX }: PointerEvent) => {
    pointed.value = nearest(points, offsetX, scale);
  };
  const leave = () => {
    pointed.value = null;
  };
  return (
    <>
      <Legend plan={plan} point={point} />
      <div
        class="chart-box"
        ref={box}
        role="img"
        aria-label={summaryOf(plan, points)}
        onPointerMove={follow}
        onPointerLeave={leave}
      >
        <svg class="chart-lines" viewBox={`0 0 ${widthPx.value} ${BOX.height}`} aria-hidden="true">
          <Axes scale={scale} text={plan.axis} widthPx={widthPx.value} />
          {plan.lines.map((line) => (
            <path
              key={line.name}
              class={`line ${line.color}`}
              stroke-dasharray={line.dash}
              d={pathThrough(points, line, scale)}
            />
          ))}
          {pointed.value === null || point === null ? null : (
            <path class="chart-pointed" d={`M${scale.x(point.atMs)} ${BOX.top}V${BOX.height - BOX.bottom}`} />
          )}
        </svg>
      </div>
    </>
  );
}

interface AxesProps {
  readonly scale: Scale;
  readonly text: (value: number) => string;
  readonly widthPx: number;
}

function Axes({ scale, text, widthPx }: AxesProps) {
  const isFine = (scale.times[1] ?? 0) - (scale.times[0] ?? 0) < MINUTE_MS;
  return (
    <>
      {scale.values.map((value) => (
        <g key={value} transform={`translate(0 ${scale.y(value)})`}>
          <path class="chart-grid" d={`M${BOX.start} 0H${widthPx - BOX.end}`} />
          <text class="chart-value" x={BOX.start - 8} y="4">
            {text(value)}
          </text>
        </g>
      ))}
      {scale.times.map((atMs) => (
        <text key={atMs} class="chart-time" x={scale.x(atMs)} y={BOX.height - 6}>
          {isFine ? clockText(atMs) : clockTextShort(atMs)}
        </text>
      ))}
    </>
  );
}

function Legend({ plan, point }: { readonly plan: ChartPlan; readonly point: TickPoint | null }) {
  return (
    <ul class="legend">
      {plan.lines.map((line) => (
        <li key={line.name}>
          <svg class="legend-sample" viewBox="0 0 24 4" aria-hidden="true">
            <path class={`line ${line.color}`} d="M0 2h24" stroke-dasharray={line.dash} />
          </svg>
          {line.name} <strong>{plan.text(point === null ? null : line.read(point))}</strong>
        </li>
      ))}
      <li class="legend-time">{point === null ? 'no data yet' : clockText(point.atMs)}</li>
    </ul>
  );
}

/** The time of the point that is drawn nearest. Null: there is none. */
function nearest(points: readonly TickPoint[], x: number, scale: Scale): number | null {
  let found: number | null = null;
  for (const { atMs } of points) {
    if (found === null || Math.abs(scale.x(atMs) - x) < Math.abs(scale.x(found) - x)) found = atMs;
  }
  return found;
}
