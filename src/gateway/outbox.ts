/** A bounded queue to one reader. When the reader is slow the oldest entries are dropped and counted; nobody else waits. */
export interface Outbox<Item> {
  put(item: Item): void;
  /** Counts items that were lost before they came here: the next one tells how many. */
  miss(count: number): void;
  /** The next item, with how many were dropped before it. Null when the outbox was closed. Waits while it is empty. */
  take(): Promise<Entry<Item> | null>;
  close(): void;
}

interface Entry<Item> {
  readonly item: Item;
  readonly dropped: number;
}

/** `onDrop` is told of each item that was dropped here. */
export function makeOutbox<Item>(itemsMax: number, onDrop: () => void = () => undefined): Outbox<Item> {
  const entries: Entry<Item>[] = [];
  /** What was dropped before whatever is put next. */
  let dropped = 0;
  let isClosed = false;
  let wake: () => void = () => undefined;

  const dropOldest = () => {
    onDrop();
    const lost = (entries.shift()?.dropped ?? 0) + 1;
    const [next] = entries;
    if (next === undefined) dropped += lost;
    else entries[0] = { ...next, dropped: next.dropped + lost };
  };

  return {
    put(item) {
      if (isClosed) return;
      if (entries.length === itemsMax) dropOldest();
      entries.push({ item, dropped });
      dropped = 0;
      wake();
    },
    miss(count) {
      dropped += count;
    },
    async take() {
      for (;;) {
        const taken = entries.shift() ?? null;
        if (taken !== null || isClosed) return taken;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
    close() {
      isClosed = true;
      entries.length = 0;
      wake();
    },
  };
}
