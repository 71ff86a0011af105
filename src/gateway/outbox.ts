/** A bounded queue to one reader. When the reader is slow the oldest entries are dropped and counted; nobody else waits. */
export interface Outbox<Item> {
  put(item: Item): void;
  /** The next item, with how many were dropped before it. Null when the outbox was closed. Waits while it is empty. */
  take(): Promise<{ readonly item: Item; readonly dropped: number } | null>;
  close(): void;
}

export function makeOutbox<Item>(itemsMax: number): Outbox<Item> {
  const items: Item[] = [];
  let dropped = 0;
  let isClosed = false;
  let wake: () => void = () => undefined;

  const takeNow = () => {
    const item = items.shift();
    if (item === undefined) return null;
    const taken = { item, dropped };
    dropped = 0;
    return taken;
  };

  return {
    put(item) {
      if (isClosed) return;
      if (items.length === itemsMax) {
        items.shift();
        dropped += 1;
      }
      items.push(item);
      wake();
    },
    async take() {
      for (;;) {
        const taken = takeNow();
        if (taken !== null || isClosed) return taken;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
    close() {
      isClosed = true;
      items.length = 0;
      wake();
    },
  };
}
