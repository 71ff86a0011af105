import { useRoom } from './room-context.ts';
import { clockText } from './time-text.ts';

/** Says that the picture is not of now. */
export function StaleBand() {
  const { connection, paused } = useRoom().see;
  if (connection.value.kind === 'lost')
    return (
      <p class="band band-stale">
        No connection to the gateway. What you see is how it stood at {clockText(connection.value.sinceMs)}.
      </p>
    );
  if (paused.value !== null)
    return <p class="band band-stale">Paused. What you see is how it stood at {clockText(paused.value.sinceMs)}.</p>;
  return null;
}
