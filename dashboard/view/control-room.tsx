import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Room } from '../model/room.ts';
import { FAILURE_MODES, type ProviderCard } from '../model/room-state.ts';

/** What the user is asked to confirm. Null: nothing. */
const wish = signal<(() => void) | null>(null);

export function ControlRoom({ room }: { readonly room: Room }) {
  const { connection, providers, decisions } = room.see;
  return (
    <main>
      <h1>Switchyard</h1>
      <p>{connection.value.kind}</p>
      {providers.value.map((card) => (
        <Provider key={card.key} card={card} room={room} />
      ))}
      <ul>
        {decisions.value.map(({ id, summary }) => (
          <li key={id}>
            {id} {summary}
          </li>
        ))}
      </ul>
      {wish.value !== null && <Confirmation act={wish.value} />}
    </main>
  );
}

function Provider({ card: { key, name, breaker }, room }: { readonly card: ProviderCard; readonly room: Room }) {
  const simulate = () => room.acts.simulate(key, { mode: FAILURE_MODES[0], durationS: 60 });
  const reset = () => room.acts.resetBreaker(key);
  const ask = (act: () => void) => () => {
    wish.value = act;
  };
  return (
    <article aria-label={name}>
      <p>{breaker.state.replace('_', '-')}</p>
      <button type="button" onClick={ask(simulate)}>
        Simulate a failure of {key}
      </button>
      <button type="button" onClick={ask(reset)}>
        Reset the breaker of {key}
      </button>
    </article>
  );
}

function Confirmation({ act }: { readonly act: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const confirm = () => {
    wish.value = null;
    act();
  };
  return (
    <dialog ref={dialog} aria-label="Are you sure?">
      <button type="button" onClick={confirm}>
        Confirm
      </button>
    </dialog>
  );
}
