import { useRoom } from './room-context.ts';
import { clockText } from './time-text.ts';

/** Says that the picture is not of now. */
export function StaleBand() {
  const { connection, paused } = useRoom().see;
  // Of a picture that stands still the pause says of when it is, whatever became of the connection since.
  if (paused.value !== null)
    return (
      <p class="band band-stale">
        {connection.value.kind === 'lost' ? 'Paused, and no connection to the gateway' : 'Paused'}. What you see is how
        it stood at {clockText(paused.value.sinceMs)}.
      </p>
    );
  if (connection.value.kind === 'lost')
    return (
      <p class="band band-stale">
        No connection to the gateway. What you see is how it stood at {clockText(connection.value.sinceMs)}.
      </p>
    );
  return null;
}
