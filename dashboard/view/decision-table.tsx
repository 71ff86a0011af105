import { useState } from 'preact/hooks';
import type { Decision } from '../model/room-state.ts';
import { DecisionPath } from './decision-path.tsx';
import { moneyTextShort } from './money-text.ts';
import { counted, UNKNOWN } from './number-text.ts';
import { onlyWhenChanged } from './only-when-changed.ts';
import { requestLink } from './request-link.ts';
import { useRoom } from './room-context.ts';
import { CATEGORY_WORDS } from './room-words.ts';
import { ScrollRegion } from './scroll-region.tsx';
import { ShowMore } from './show-more.tsx';
import { clockText, spanText } from './time-text.ts';

/** Rows shown at first, and added by each press. */
const ROWS = 25;

export function DecisionTable() {
  const { decisions, missedDecisions, parts } = useRoom().see;
  const [rows, setRows] = useState(ROWS);
  const part = parts.value.decisions;
  const all = decisions.value;
  return (
    <section class="panel decisions" aria-labelledby="decisions-title">
      <h2 id="decisions-title">Decisions</h2>
      {part.kind === 'refused' ? <p class="note">Not shown: {part.why}</p> : null}
      {part.kind !== 'refused' && all.length === 0 ? (
        <p class="note">
          No request yet. Send one with “Try it”, or start with <code>npm start -- demo</code>.
        </p>
      ) : null}
      {all.length === 0 ? null : <Table decisions={all.slice(0, rows)} />}
      {missedDecisions.value === 0 ? null : (
        <p class="note">{counted(missedDecisions.value, 'change')} came too fast for this page.</p>
      )}
      <ShowMore left={all.length - rows} step={ROWS} onPress={() => setRows(rows + ROWS)} />
    </section>
  );
}

function Table({ decisions }: { readonly decisions: readonly Decision[] }) {
  return (
    <ScrollRegion label="Newest decisions first">
      <table class="decision-table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">User</th>
            <th scope="col">Category</th>
            <th scope="col">Path</th>
            <th scope="col" class="number">
              Cost
            </th>
            <th scope="col" class="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {decisions.map((decision) => (
            <Row key={decision.id} decision={decision} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

const Row = onlyWhenChanged(function Row({ decision }: { readonly decision: Decision }) {
  const { id, atMs, userId, category, costUsd, totalMs, status } = decision;
  const time = clockText(atMs);
  return (
    <tr data-status={status}>
      <td class="cell-time">
        {/* The link covers its whole row. */}
        <a class="row-link" href={requestLink(id)} aria-label={`${time}: why it went where it went`}>
          {time}
        </a>
      </td>
      <td class="cell-user" title={userId ?? undefined}>
        {userId ?? UNKNOWN}
      </td>
      <td class="cell-category">{category === null ? UNKNOWN : CATEGORY_WORDS[category]}</td>
      <td class="cell-path">
        <DecisionPath decision={decision} />
      </td>
      <td class="cell-cost number">{moneyTextShort(costUsd)}</td>
      <td class="cell-took number">{spanText(totalMs)}</td>
    </tr>
  );
});
