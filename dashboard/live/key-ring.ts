import { type ReadonlySignal, signal } from '@preact/signals';
import type { TabMemory } from './world.ts';

/** The API key that the user gave: in memory, and in the tab's own storage only if wished. */
export interface KeyRing {
  /** Null: there is none. */
  key(): string | null;
  /** Whether there is one. */
  readonly hasKey: ReadonlySignal<boolean>;
  enter(key: string, keep: 'untilReload' | 'untilTabCloses'): void;
  forget(): void;
}

export function makeKeyRing(memory: TabMemory): KeyRing {
  let key = memory.read();
  const hasKey = signal(key !== null);
  return {
    key: () => key,
    hasKey,
    enter(entered, keep) {
      key = entered.trim();
      hasKey.value = true;
      if (keep === 'untilTabCloses') memory.keep(key);
      else memory.clear();
    },
    forget() {
      key = null;
      hasKey.value = false;
      memory.clear();
    },
  };
}
