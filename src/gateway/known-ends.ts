import type { ApiKeyId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';

/** How many keys that will end are remembered. Of those beyond, the store tells alone. */
const ENDING_MAX = 100_000;

/** Which keys will end by themselves, as far as that was seen: the clock tells it also while the store is away. */
export interface KnownEnds {
  /** `endsAtMs`: by the monotonic clock. Infinite: it does not end by itself. */
  note(id: ApiKeyId, endsAtMs: number): void;
  /** Those that have ended. Each is told until `againMs` after its end. */
  ended(againMs: number): readonly ApiKeyId[];
}

export function makeKnownEnds(clock: Clock): KnownEnds {
  const ends = new Map<ApiKeyId, number>();
  return {
    note(id, endsAtMs) {
      if (!Number.isFinite(endsAtMs)) return;
      ends.delete(id);
      ends.set(id, endsAtMs);
      const [oldest] = ends.keys();
      if (ends.size > ENDING_MAX && oldest !== undefined) ends.delete(oldest);
    },
    ended(againMs) {
      const nowMs = clock.elapsedMs();
      const due = Array.from(ends).filter(([, endsAtMs]) => endsAtMs <= nowMs);
      for (const [id, endsAtMs] of due) if (endsAtMs + againMs <= nowMs) ends.delete(id);
      return due.map(([id]) => id);
    },
  };
}
