import type { TabMemory } from './world.ts';

/** The API key that the user gave: in memory, and in the tab's own storage only if wished. */
export interface KeyRing {
  /** Null: there is none. */
  key(): string | null;
  enter(key: string, keep: 'untilReload' | 'untilTabCloses'): void;
  forget(): void;
}

export function makeKeyRing(memory: TabMemory): KeyRing {
  let key = memory.read();
  return {
    key: () => key,
    enter(entered, keep) {
      key = entered.trim();
      if (keep === 'untilTabCloses') memory.keep(key);
      else memory.clear();
    },
    forget() {
      key = null;
      memory.clear();
    },
  };
}
