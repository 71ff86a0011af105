import { JournalUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';

/** A disk that failed is tried again this often. */
const RETRY_MS = 1_000;

/** Writes items in their order, those that come while it is busy together. What cannot be written is kept, and tried again. */
export interface GroupWriter<Item> extends AsyncDisposable {
  take(item: Item): void;
  /** Resolves when everything taken so far is written. Rejects with `JournalUnavailable` when it cannot be now. */
  safe(): Promise<void>;
  /** Why the last write failed. Null when it did not. */
  fault(): string | null;
}

export function makeGroupWriter<Item>(of: {
  /** Resolves when the whole group is safe. Called with none to find out whether a disk that failed takes anything again. */
  readonly write: (group: readonly Item[]) => Promise<void>;
  readonly clock: Clock;
  /** Told when writing fails, and with null when it works again. */
  readonly told: (fault: string | null) => void;
}): GroupWriter<Item> {
  const waiting = new Set<{ readonly upTo: number; readonly promise: PromiseWithResolvers<void> }>();
  let unsafe: Item[] = [];
  let takenCount = 0;
  let safeCount = 0;
  let fault: string | null = null;
  let running: Promise<void> | null = null;
  let retry: Disposable | null = null;

  const writeGroup = async () => {
    const group = unsafe;
    unsafe = [];
    try {
      await of.write(group);
      safeCount += group.length;
      if (fault !== null) of.told(null);
      fault = null;
    } catch (error) {
      unsafe = [...group, ...unsafe];
      const isNews = fault === null;
      fault = error instanceof Error ? error.message : String(error);
      if (isNews) of.told(fault);
    }
  };
  const tell = () => {
    for (const waiter of waiting) {
      if (waiter.upTo > safeCount && fault === null) continue;
      waiting.delete(waiter);
      if (waiter.upTo <= safeCount) waiter.promise.resolve();
      else waiter.promise.reject(new JournalUnavailable(fault ?? ''));
    }
  };
  const run = async () => {
    do {
      await writeGroup();
      tell();
    } while (unsafe.length > 0 && fault === null);
    running = null;
    if (fault !== null) retry = of.clock.after(RETRY_MS, start);
  };
  const start = () => {
    // Not at once: what is taken in the same turn of the event loop is written together.
    running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(run);
  };

  return {
    take(item) {
      unsafe.push(item);
      takenCount += 1;
      if (fault === null) start();
    },
    safe() {
      if (takenCount === safeCount) return Promise.resolve();
      if (fault !== null) return Promise.reject(new JournalUnavailable(fault));
      const promise = Promise.withResolvers<void>();
      waiting.add({ upTo: takenCount, promise });
      return promise.promise;
    },
    fault: () => fault,
    async [Symbol.asyncDispose]() {
      await running;
      retry?.[Symbol.dispose]();
    },
  };
}
