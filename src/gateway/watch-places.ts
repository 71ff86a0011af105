import { type Caller, lineOf } from './caller.ts';

/** One line of keys fills at most this part of the places, so that it cannot keep out all others. */
const LINE_SHARE = 0.1;

/** Who takes a place, and until when at most. */
interface Taking {
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** Places for those who watch something: bounded, in all and for each line of keys, and each given back once, however its owner leaves. */
export interface WatchPlaces {
  /** Why there is none. Null: there is one. */
  refuse(caller: Caller): string | null;
  /** Takes one. `leave` runs once: when it is called, or when the signal aborts. */
  take(taking: Taking, leave: () => void): () => void;
}

export function makeWatchPlaces(placesMax: number): WatchPlaces {
  const lineMax = Math.ceil(placesMax * LINE_SHARE);
  const counts = new Map<string, number>();
  let taken = 0;
  const count = (caller: Caller, step: 1 | -1) => {
    taken += step;
    const line = lineOf(caller);
    if (line === null) return;
    const next = (counts.get(line) ?? 0) + step;
    if (next === 0) counts.delete(line);
    else counts.set(line, next);
  };
  return {
    refuse(caller) {
      if (taken >= placesMax) return `this replica serves at most ${placesMax} watchers at once`;
      const line = lineOf(caller);
      return line !== null && (counts.get(line) ?? 0) >= lineMax
        ? `this replica serves at most ${lineMax} watchers with one key at once`
        : null;
    },
    take({ caller, signal }, leave) {
      count(caller, 1);
      let isLeft = false;
      const leaveOnce = () => {
        if (isLeft) return;
        isLeft = true;
        count(caller, -1);
        signal.removeEventListener('abort', leaveOnce);
        leave();
      };
      // Whoever leaves before reading anything has no other way to say so: what never began cannot end.
      signal.addEventListener('abort', leaveOnce);
      if (signal.aborted) leaveOnce();
      return leaveOnce;
    },
  };
}
