import { type ChartPlan, tableRows } from './chart-plans.ts';
import { useRoom } from './room-context.ts';
import { ScrollRegion } from './scroll-region.tsx';
import { clockText } from './time-text.ts';

/** The twin of a chart. */
export function ChartTable({ plan }: { readonly plan: ChartPlan }) {
  const { series } = useRoom().see;
  return (
    <ScrollRegion label={`${plan.title}, newest first`} kind="chart-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {plan.lines.map(({ name }) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tableRows(series.value).map((point) => (
            <tr key={point.atMs}>
              <th scope="row">{clockText(point.atMs)}</th>
              {plan.lines.map((line) => (
                <td key={line.name} class="number">
                  {plan.text(line.read(point))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
