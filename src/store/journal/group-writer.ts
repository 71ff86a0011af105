import { JournalUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';

/** A disk that failed is tried again this often, and one that takes longer than this for a group has failed. */
const DISK = { retryMs: 1_000, writeMsMax: 1_000 } as const;

/** Writes items in their order, those that come while it is busy together. What cannot be written is kept, and tried again. */
export interface GroupWriter<Item> extends AsyncDisposable {
  take(item: Item): void;
  /** Resolves when everything taken so far is written. Rejects with `JournalUnavailable` when it cannot be now, at the latest after `writeMsMax`. */
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

  const fail = (reason: string) => {
    const isNews = fault === null;
    fault = reason;
    if (isNews) of.told(fault);
  };
  const writeGroup = async () => {
    const group = unsafe;
    unsafe = [];
    // A disk that hangs is a fault like any other: nobody waits for it. What it was given may still be written.
    using _timer = of.clock.after(DISK.writeMsMax, () => {
      fail(`the disk has taken longer than ${DISK.writeMsMax} ms`);
      tell();
    });
    try {
      await of.write(group);
      safeCount += group.length;
      if (fault !== null) of.told(null);
      fault = null;
    } catch (error) {
      unsafe = [...group, ...unsafe];
      fail(error instanceof Error ? error.message : String(error));
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
    if (fault !== null) retry = of.clock.after(DISK.retryMs, start);
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
      const late = Promise.withResolvers<void>();
      using _timer = of.clock.after(DISK.writeMsMax, late.resolve);
      await Promise.race([running, late.promise]);
      retry?.[Symbol.dispose]();
    },
  };
}
