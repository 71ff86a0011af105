import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import { type ChartPlan, LATENCY, OUTCOMES, spendPlan } from './chart-plans.ts';
import { ChartTable } from './chart-table.tsx';
import { LineChart } from './line-chart.tsx';
import { useRoom } from './room-context.ts';
import { WINDOW_WORDS } from './room-words.ts';

/** Each point is of the window that ends there, as all other figures of the page are. */
export function ChartRow() {
  const { providers, window, parts } = useRoom().see;
  const names = useComputed(() => providers.value.map(({ key }) => key).join('\n'));
  if (parts.value.ticks.kind === 'refused') return null;
  const spend = spendPlan(names.value.split('\n').filter((name) => name !== ''));
  return (
    <section class="charts" aria-labelledby="charts-title">
      <h2 id="charts-title">How it went</h2>
      <p class="note">Each point covers {WINDOW_WORDS[window.value].replace('the last', 'the')} before it.</p>
      <div class="chart-row">
        <Chart plan={LATENCY} />
        <Chart plan={OUTCOMES} />
        <Chart key={names.value} plan={spend} />
      </div>
    </section>
  );
}

function Chart({ plan }: { readonly plan: ChartPlan }) {
  const [isTable, setTable] = useState(false);
  return (
    <figure class="panel chart" aria-labelledby={`chart-${plan.id}`}>
      <figcaption class="chart-head">
        <h3 id={`chart-${plan.id}`}>{plan.title}</h3>
        <button type="button" onClick={() => setTable(!isTable)}>
          {isTable ? 'Show as chart' : 'Show as table'}
          <span class="unseen">: {plan.title}</span>
        </button>
      </figcaption>
      {isTable ? <ChartTable plan={plan} /> : <LineChart plan={plan} />}
    </figure>
  );
}
