/** One entry for each key to one reader: the newest. A slow reader is not told what lay between; nobody else waits. */
export interface NewestBox<Key, Item> {
  put(key: Key, item: Item): void;
  /** The entry that has waited longest. Null when the box was closed. Waits while it is empty. */
  take(): Promise<Item | null>;
  close(): void;
}

/** `join` makes one entry of an older one that nobody took and a newer one. Of more than `keysMax` keys the oldest is forgotten. */
export function makeNewestBox<Key, Item>(
  keysMax: number,
  join: (older: Item, newer: Item) => Item,
): NewestBox<Key, Item> {
  const items = new Map<Key, Item>();
  let isClosed = false;
  let wake: () => void = () => undefined;

  const forgetOldest = () => {
    const [oldest] = items.keys();
    if (oldest !== undefined) items.delete(oldest);
  };
  const takeNow = (): Item | null => {
    const [entry] = items;
    if (entry === undefined) return null;
    items.delete(entry[0]);
    return entry[1];
  };

  return {
    put(key, item) {
      if (isClosed) return;
      const older = items.get(key);
      if (older === undefined && items.size >= keysMax) forgetOldest();
      items.set(key, older === undefined ? item : join(older, item));
      wake();
    },
    async take() {
      for (;;) {
        const item = takeNow();
        if (item !== null || isClosed) return item;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
    close() {
      isClosed = true;
      items.clear();
      wake();
    },
  };
}
