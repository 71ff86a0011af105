import type { Room } from '../model/room.ts';
import { FAILURE_MODES } from '../model/room-state.ts';

export function ControlRoom({ room }: { readonly room: Room }) {
  const { connection, providers } = room.see;
  return (
    <main>
      <h1>Switchyard</h1>
      <p>{connection.value.kind}</p>
      {providers.value.map(({ key, name, breaker }) => (
        <article key={key} aria-label={name}>
          {name} {breaker.state.replace('_', '-')}
          <button type="button" onClick={() => room.acts.simulate(key, { mode: FAILURE_MODES[0], durationS: 60 })}>
            Simulate a failure of {key}
          </button>
        </article>
      ))}
    </main>
  );
}
