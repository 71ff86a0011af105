import { useEffect, useRef, useState } from 'preact/hooks';
import { useRoom } from './room-context.ts';

/** Asks for a key, where the gateway wants one. */
export function KeyGate({ why }: { readonly why: string }) {
  const { acts } = useRoom();
  const field = useRef<HTMLInputElement>(null);
  const [isKept, setKept] = useState(false);
  useEffect(() => field.current?.focus(), []);
  const enter = (event: Event) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? '';
    if (key !== '') acts.enterKey(key, isKept ? 'untilTabCloses' : 'untilReload');
  };
  return (
    <main id="main" class="gate" tabIndex={-1}>
      <form class="panel" onSubmit={enter}>
        <h2>This gateway asks for a key</h2>
        <p id="gate-why">{why}</p>
        <label class="field">
          <span>API key</span>
          <input
            ref={field}
            type="password"
            autocomplete="off"
            spellcheck={false}
            aria-describedby="gate-why gate-hint"
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={isKept} onChange={({ currentTarget }) => setKept(currentTarget.checked)} />
          <span>Keep it until this tab is closed</span>
        </label>
        <p class="note" id="gate-hint">
          An operator makes one with <code>npm run keys -- create</code>. What you see and may do depends on its scopes.
        </p>
        <button type="submit" class="first">
          Enter
        </button>
      </form>
    </main>
  );
}
