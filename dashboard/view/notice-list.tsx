import { useEffect } from 'preact/hooks';
import type { Notice } from '../model/room-state.ts';
import { useRoom } from './room-context.ts';

/** What went well goes by itself after this time. What failed stays until it is dismissed. */
const SHOWN_MS = 10_000;

/** What came of what the user did. */
export function NoticeList() {
  const { see } = useRoom();
  return (
    <div class="notices" role="status">
      {see.notices.value.map((notice) => (
        <NoticeText key={notice.id} {...notice} />
      ))}
    </div>
  );
}

function NoticeText({ id, tone, text, code }: Notice) {
  const { acts } = useRoom();
  useEffect(() => {
    if (tone === 'failed') return;
    const timer = setTimeout(() => acts.dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [acts, id, tone]);
  return (
    <p class="notice" data-tone={tone}>
      <span>
        {tone === 'done' ? '✓' : '✗'} {text}
        {code === null ? '' : ` (${code})`}
      </span>
      <button type="button" onClick={() => acts.dismiss(id)}>
        Dismiss<span class="unseen">: {text}</span>
      </button>
    </p>
  );
}
