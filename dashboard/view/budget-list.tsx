import { useState } from 'preact/hooks';
import type { BudgetRow } from '../model/room-state.ts';
import { moneyText } from './money-text.ts';
import { onlyWhenChanged } from './only-when-changed.ts';
import { useRoom } from './room-context.ts';
import { ShowMore } from './show-more.tsx';
import { dayText, spanText } from './time-text.ts';

/** Rows shown at first, and added by each press. */
const ROWS = 5;

const STATUS_WORDS: Readonly<Record<BudgetRow['status'], string>> = {
  OK: '✓ ok',
  WARNING: '▲ nearly used up',
  EXHAUSTED: '■ used up',
};

const LEVEL_WORDS: Readonly<Record<BudgetRow['level'], string>> = { USER: 'user', KEY: 'key', TEAM: 'team' };

const PERIOD_WORDS: Readonly<Record<BudgetRow['period'], string>> = {
  TOTAL: 'in all',
  DAILY: 'a day',
  WEEKLY: 'a week',
  MONTHLY: 'a month',
};

export function BudgetList() {
  const { budgets, parts, totals } = useRoom().see;
  const [rows, setRows] = useState(ROWS);
  const part = parts.value.budgets;
  const all = budgets.value;
  return (
    <section class="panel budgets" aria-labelledby="budgets-title">
      <h2 id="budgets-title">Budgets</h2>
      {part.kind === 'refused' ? <p class="note">Not shown: {part.why}</p> : null}
      {/* Not while the page has only just come, and nothing is known of anything. */}
      {part.kind !== 'refused' && all.length === 0 && totals.value !== null ? (
        <p class="note">
          No account is known yet. Each user begins with the budget of <code>BUDGET_DEFAULT_USD</code>; the mutation{' '}
          <code>setBudget</code> gives another.
        </p>
      ) : null}
      <ul class="budget-list">
        {all.slice(0, rows).map((budget) => (
          <Row key={budget.id} budget={budget} />
        ))}
      </ul>
      <ShowMore left={all.length - rows} step={ROWS} onPress={() => setRows(rows + ROWS)} />
    </section>
  );
}

const Row = onlyWhenChanged(function Row({ budget }: { readonly budget: BudgetRow }) {
  return (
    <li class="budget" data-status={budget.status}>
      <p class="budget-head">
        <span class="budget-owner">
          <span class="budget-level">{LEVEL_WORDS[budget.level]}</span> {budget.owner}
        </span>{' '}
        <span class="budget-status">{STATUS_WORDS[budget.status]}</span>
      </p>
      <Bar budget={budget} />
      <dl class="budget-sums">
        <Sum name="spent" usd={budget.spentUsd} />
        <Sum name="held" usd={budget.reservedUsd} />
        <Sum name="left" usd={budget.remainingUsd} />
      </dl>
      <p class="budget-limit">
        of {moneyText(budget.limitUsd)} {PERIOD_WORDS[budget.period]}
        <Restart atMs={budget.resetsAtMs} />
      </p>
    </li>
  );
});

/** The sums stand beside it as text. */
function Bar({ budget }: { readonly budget: BudgetRow }) {
  const limit = Number(budget.limitUsd);
  const widthOf = (usd: string) => ({ inlineSize: `${limit > 0 ? Math.min((Number(usd) / limit) * 100, 100) : 0}%` });
  return (
    <div class="budget-bar" aria-hidden="true">
      <span class="budget-spent" style={widthOf(budget.spentUsd)} />
      <span class="budget-held" style={widthOf(budget.reservedUsd)} />
    </div>
  );
}

function Sum({ name, usd }: { readonly name: string; readonly usd: string }) {
  return (
    <div class={`budget-sum budget-sum-${name}`}>
      <dt>{name}</dt>
      <dd>{moneyText(usd)}</dd>
    </div>
  );
}

/** On its own, so that the passing of time draws these words alone. */
function Restart({ atMs }: { readonly atMs: number | null }) {
  const { now } = useRoom();
  if (atMs === null) return <>, never starts again</>;
  const leftMs = atMs - now.value;
  return <span title={dayText(atMs)}>, starts again {leftMs <= 0 ? 'now' : `in ${coarse(leftMs)}`}</span>;
}

/** In its largest unit alone. */
function coarse(ms: number): string {
  return spanText(ms).split(' ')[0] ?? '';
}
