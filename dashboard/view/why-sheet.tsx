import type { ComponentChildren } from 'preact';
import type { DecisionDetail, Routing, Selected } from '../model/room-state.ts';
import { Modal } from './modal.tsx';
import { moneyText } from './money-text.ts';
import { countText, shareTextShort } from './number-text.ts';
import { dropLink } from './request-link.ts';
import { useRoom } from './room-context.ts';
import { CATEGORY_WORDS } from './room-words.ts';
import { ScoreTable } from './score-table.tsx';
import { dayText, spanText } from './time-text.ts';
import { Waterfall } from './waterfall.tsx';

/** Why a request went where it went: enough to check the decision by hand. */
export function WhySheet() {
  const { see, acts } = useRoom();
  const selected = see.selected.value;
  if (selected === null) return null;
  const close = () => {
    dropLink();
    acts.deselect();
  };
  return (
    <Modal class="why" labelledBy="why-title" close={close}>
      <div class="why-head">
        <h2 id="why-title">Why it went where it went</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      <p class="why-id">
        <code>{selected.id}</code>
      </p>
      <Detail selected={selected} />
    </Modal>
  );
}

function Detail({ selected: { detail } }: { readonly selected: Selected }) {
  if (detail === 'loading') return <p class="note">Loading…</p>;
  if (detail === 'gone') return <p class="note">No request has this id. It may be too old to be kept.</p>;
  if (detail.kind === 'refused') return <p class="note">Not shown: {detail.why}</p>;
  return (
    <>
      <p class="why-summary">{detail.routing?.summary ?? detail.decision.error?.message ?? 'Nothing was routed.'}</p>
      <Facts detail={detail} />
      {detail.routing === null ? null : <RoutingParts routing={detail.routing} />}
    </>
  );
}

function Facts({ detail }: { readonly detail: DecisionDetail }) {
  const { decision, tokens, reservedUsd, overheadMs } = detail;
  return (
    <dl class="pairs">
      <Pair name="Outcome">{decision.status.toLowerCase()}</Pair>
      {decision.error === null ? null : (
        <Pair name="Error">
          {decision.error.code}: {decision.error.message}
        </Pair>
      )}
      <Pair name="Arrived">{dayText(decision.atMs)}</Pair>
      <Pair name="User">{decision.userId ?? 'nobody in particular'}</Pair>
      <Pair name="Asked for">{decision.modelRequested}</Pair>
      {decision.answeredBy === null ? null : (
        <Pair name="Answered by">
          {decision.answeredBy.provider}/{decision.answeredBy.model}
        </Pair>
      )}
      <Pair name="Cost">
        {moneyText(decision.costUsd)}
        {reservedUsd === null ? '' : ` (${moneyText(reservedUsd)} was held)`}
      </Pair>
      {tokens === null ? null : (
        <Pair name="Tokens">
          {countText(tokens.input)} in, {countText(tokens.output)} out
        </Pair>
      )}
      <Pair name="Took">
        {spanText(decision.totalMs)}
        {decision.timeToFirstTokenMs === null ? '' : `, first token after ${spanText(decision.timeToFirstTokenMs)}`}
        {overheadMs === null ? '' : `, of it ${overheadMs.toFixed(1)} ms in the gateway`}
      </Pair>
    </dl>
  );
}

function Pair({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function RoutingParts({ routing }: { readonly routing: Routing }) {
  return (
    <>
      <h3>Attempts</h3>
      <Waterfall attempts={routing.attempts} />
      <h3>Candidates</h3>
      <p class="note">
        Ranked by the policy <code>{routing.policy}</code>: the sum of each value × its weight.
      </p>
      <ScoreTable candidates={routing.candidates} />
      <h3>Kind of prompt</h3>
      <p>
        Taken for <strong>{CATEGORY_WORDS[routing.category]}</strong>, {shareTextShort(routing.confidence)} sure
        {routing.signals.length === 0 ? '.' : ', for these signs:'}
      </p>
      {routing.signals.length === 0 ? null : (
        <ul class="signals">
          {routing.signals.map((signal) => (
            <li key={signal}>{signal}</li>
          ))}
        </ul>
      )}
    </>
  );
}
