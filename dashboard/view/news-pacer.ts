import type { ProviderCard } from '../model/room-state.ts';
import { reasonOf, type Standing, standingOf } from './provider-words.ts';

/** At most one announcement in this time: a listener must be able to follow. */
export const NEWS_EVERY_MS = 5_000;

interface Deps {
  readonly say: (text: string) => void;
  readonly nowMs: () => number;
  /** Calls back once, after so many milliseconds. Returns what calls it off. */
  readonly wait: (callback: () => void, ms: number) => () => void;
}

export interface NewsPacer {
  /** Looks at the providers as they stand now. What stood there at the first look is no news. */
  look(providers: readonly ProviderCard[]): void;
  stop(): void;
}

/** Tells changes of state, bundled: of a provider that changes back and forth only where it ended. */
export function makeNewsPacer({ say, nowMs, wait }: Deps): NewsPacer {
  const told = new Map<string, Standing>();
  let newest: readonly ProviderCard[] = [];
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let callOff: (() => void) | null = null;
  const tell = () => {
    callOff = null;
    const changed = newest.filter((card) => told.get(card.key) !== standingOf(card));
    if (changed.length === 0) return;
    for (const card of changed) told.set(card.key, standingOf(card));
    saidAtMs = nowMs();
    say(changed.map(newsOf).join(' '));
  };
  return {
    look(providers) {
      newest = providers;
      for (const card of providers) if (!told.has(card.key)) told.set(card.key, standingOf(card));
      if (callOff !== null) return;
      const dueInMs = saidAtMs + NEWS_EVERY_MS - nowMs();
      if (dueInMs <= 0) tell();
      else if (providers.some((card) => told.get(card.key) !== standingOf(card))) callOff = wait(tell, dueInMs);
    },
    stop() {
      callOff?.();
      callOff = null;
    },
  };
}

function newsOf(card: ProviderCard): string {
  switch (standingOf(card)) {
    case 'OPEN':
      return `${card.name} is open and takes no traffic: ${reasonOf(card)}.`;
    case 'HALF_OPEN':
      return `${card.name} is half-open: ${reasonOf(card)}.`;
    case 'CLOSED':
      return `${card.name} is closed and takes traffic.`;
    case 'SET_ASIDE':
    case 'WAITING':
      return `${card.name} takes no traffic: ${reasonOf(card)}.`;
    case 'OFF':
      return `${card.name} is switched off.`;
  }
}
