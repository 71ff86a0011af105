/** Places for those who watch something: bounded, and each given back once, however its owner leaves. */
export interface WatchPlaces {
  /** Why there is none. Null: there is one. */
  refuse(): string | null;
  /** Takes one. `leave` runs once: when it is called, or when the signal aborts. */
  take(signal: AbortSignal, leave: () => void): () => void;
}

export function makeWatchPlaces(placesMax: number): WatchPlaces {
  let taken = 0;
  return {
    refuse: () => (taken < placesMax ? null : `this replica serves at most ${placesMax} watchers at once`),
    take(signal, leave) {
      taken += 1;
      let isLeft = false;
      const leaveOnce = () => {
        if (isLeft) return;
        isLeft = true;
        taken -= 1;
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
