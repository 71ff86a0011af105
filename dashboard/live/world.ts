import type { OpenLink } from './link.ts';

/** What the page needs of the browser. */
export interface World {
  readonly openLink: OpenLink;
  /** Epoch milliseconds by the browser's clock. */
  now(): number;
  /** Calls once, later. Answers how to call it off. */
  after(ms: number, act: () => void): () => void;
  /** Calls once, when something is drawn next. */
  beforeFrame(act: () => void): void;
  /** 0 to 1, 1 excluded. */
  chance(): number;
  /** A name that nobody else has. */
  newName(): string;
  /** Whether the page can be seen: what nobody sees is not asked for. */
  isInView(): boolean;
  readonly tabMemory: TabMemory;
}

/** What lasts until the tab is closed. */
export interface TabMemory {
  /** Null: nothing is kept. */
  read(): string | null;
  keep(text: string): void;
  clear(): void;
}

/** Calls again and again, first after one span. Answers how to stop it. */
export function every(world: World, ms: number, act: () => void): () => void {
  let cancel = world.after(ms, beat);
  function beat() {
    cancel = world.after(ms, beat);
    act();
  }
  return () => cancel();
}
