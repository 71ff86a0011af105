import { useState } from 'preact/hooks';
import { FAILURE_MODES, type FailureMode, type ProviderCard } from '../model/room-state.ts';
import { Modal } from './modal.tsx';
import { MODE_WORDS } from './provider-words.ts';
import { useRoom } from './room-context.ts';

/** What is asked before it is done. */
export interface Question {
  readonly kind: 'simulate' | 'reset' | 'disable' | 'enable' | 'takeBack';
  readonly card: ProviderCard;
}

const TITLES: Readonly<Record<Question['kind'], string>> = {
  simulate: 'Simulate a failure of',
  reset: 'Reset the breaker of',
  disable: 'Switch off',
  enable: 'Switch on',
  takeBack: 'Take back into use',
};

const CONSEQUENCES: Readonly<Record<Question['kind'], string>> = {
  simulate: 'Real callers are affected too, on every replica. Others take over where they can.',
  reset: 'Traffic flows to it again at once, on every replica. If it still fails, the breaker opens again.',
  disable: 'It takes no new request on any replica until it is switched on again. What runs is finished.',
  enable: 'It takes traffic again, on every replica.',
  takeBack: 'Traffic flows to it again at once, on every replica. If it refuses the key again, it is set aside again.',
};

const DURATIONS_S = [
  [30, '30 seconds'],
  [60, '1 minute'],
  [300, '5 minutes'],
  [900, '15 minutes'],
  [3600, '1 hour'],
] as const;

export function QuestionDialog({ question, close }: { readonly question: Question; readonly close: () => void }) {
  const { acts } = useRoom();
  const { kind, card } = question;
  const [mode, setMode] = useState<FailureMode>('ERROR');
  const [durationS, setDuration] = useState<number>(60);
  const confirm = (event: Event) => {
    event.preventDefault();
    if (kind === 'simulate') acts.simulate(card.key, { mode, durationS });
    if (kind === 'reset') acts.resetBreaker(card.key);
    if (kind === 'disable') acts.disable(card.key);
    if (kind === 'enable' || kind === 'takeBack') acts.enable(card.key);
    close();
  };
  return (
    <Modal class="question" labelledBy="question-title" close={close}>
      <form onSubmit={confirm}>
        <h2 id="question-title">
          {TITLES[kind]} {card.key}?
        </h2>
        {kind === 'simulate' ? (
          <div class="question-fields">
            <ModeField mode={mode} setMode={setMode} />
            <DurationField durationS={durationS} setDuration={setDuration} />
          </div>
        ) : null}
        <p>{CONSEQUENCES[kind]}</p>
        <div class="question-buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={kind === 'simulate' || kind === 'disable' ? 'harm' : 'first'}>
            Confirm
          </button>
        </div>
      </form>
    </Modal>
  );
}

function ModeField({ mode, setMode }: { readonly mode: FailureMode; readonly setMode: (mode: FailureMode) => void }) {
  return (
    <label class="field">
      <span>How it fails</span>
      <select
        value={mode}
        onChange={({ currentTarget }) => setMode(FAILURE_MODES.find((name) => name === currentTarget.value) ?? mode)}
      >
        {FAILURE_MODES.map((name) => (
          <option key={name} value={name}>
            {MODE_WORDS[name].name}: {MODE_WORDS[name].what}
          </option>
        ))}
      </select>
    </label>
  );
}

function DurationField(props: { readonly durationS: number; readonly setDuration: (seconds: number) => void }) {
  return (
    <label class="field">
      <span>For how long</span>
      <select value={props.durationS} onChange={({ currentTarget }) => props.setDuration(Number(currentTarget.value))}>
        {DURATIONS_S.map(([seconds, text]) => (
          <option key={seconds} value={seconds}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
