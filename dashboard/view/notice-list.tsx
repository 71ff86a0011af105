import { useRoom } from './room-context.ts';

/** What came of what the user did. */
export function NoticeList() {
  const { see, acts } = useRoom();
  return (
    <div class="notices" role="status">
      {see.notices.value.map(({ id, tone, text, code }) => (
        <p key={id} class="notice" data-tone={tone}>
          <span>
            {tone === 'done' ? '✓' : '✗'} {text}
            {code === null ? '' : ` (${code})`}
          </span>
          <button type="button" onClick={() => acts.dismiss(id)}>
            Dismiss<span class="unseen">: {text}</span>
          </button>
        </p>
      ))}
    </div>
  );
}
