import type { ComponentChildren } from 'preact';
import type { ProviderCard } from '../model/room-state.ts';
import { BARS } from './permission.ts';
import { standingOf } from './provider-words.ts';
import type { Question } from './question-dialog.tsx';
import { useRoom } from './room-context.ts';

interface Props {
  readonly card: ProviderCard;
  readonly isSimulationBarred: boolean;
  readonly isOperationBarred: boolean;
  readonly ask: (question: Question) => void;
}

/** What may be done to a provider. All that hurts asks first. */
export function ProviderButtons({ card, isSimulationBarred, isOperationBarred, ask }: Props) {
  const { acts } = useRoom();
  const { key, breaker } = card;
  const simulationBar = isSimulationBarred ? BARS.simulation : null;
  const operationBar = isOperationBarred ? BARS.operation : null;
  const isSetAside = standingOf(card) === 'SET_ASIDE';
  const canReset = breaker.state !== 'CLOSED';
  const isOpen = card.isEnabled && breaker.state === 'OPEN';
  // The same element in both states: who pressed it keeps the focus.
  const simulate = () => (card.simulation === null ? ask({ kind: 'simulate', card }) : acts.stopSimulation(key));
  return (
    <div class="card-buttons">
      {isSetAside ? (
        <Act bar={operationBar} act={() => ask({ kind: 'takeBack', card })} name={key} isFirst>
          Take back into use
        </Act>
      ) : null}
      {canReset ? (
        <Act bar={operationBar} act={() => ask({ kind: 'reset', card })} name={key} isFirst={isOpen}>
          Reset the breaker of
        </Act>
      ) : null}
      <Act bar={simulationBar} act={simulate} name={key}>
        {card.simulation === null ? 'Simulate a failure of' : 'Stop the simulation of'}
      </Act>
      <Act bar={operationBar} act={() => ask({ kind: card.isEnabled ? 'disable' : 'enable', card })} name={key}>
        {card.isEnabled ? 'Switch off' : 'Switch on'}
      </Act>
    </div>
  );
}

interface ActProps {
  /** Id of the sentence that says why it does nothing. Null: it works. */
  readonly bar: string | null;
  readonly act: () => void;
  readonly name: string;
  /** What is most likely wanted now. */
  readonly isFirst?: boolean;
  readonly children: string;
}

/** A barred button can still be reached, so that its reason is heard. */
function Act({ bar, act, name, isFirst = false, children }: ActProps) {
  const seen = children.replace(/ of$/, '');
  const rest: ComponentChildren = `${children.slice(seen.length)} ${name}`;
  return (
    <button
      type="button"
      class={isFirst ? 'first' : undefined}
      aria-disabled={bar === null ? undefined : true}
      aria-describedby={bar ?? undefined}
      onClick={bar === null ? act : undefined}
    >
      {seen}
      <span class="unseen">{rest}</span>
    </button>
  );
}
