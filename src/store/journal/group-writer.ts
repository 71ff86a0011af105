import { JournalUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import { atMost } from '../time-limit.ts';

/**
 * A disk that failed is tried again this often. One that is still busy with a group at the last of some looks has failed too: looks,
 * each in a turn of the event loop of its own, because a process that was itself held up says nothing of its disk.
 */
const DISK = { retryMs: 1_000, looksMax: 10, lookEveryMs: 100 } as const;

const WRITE_MS_MAX = DISK.looksMax * DISK.lookEveryMs;

/** Writes items in their order, those that come while it is busy together. What cannot be written is kept, and tried again. */
export interface GroupWriter<Item> extends AsyncDisposable {
  take(item: Item): void;
  /** Resolves when everything taken so far is written. Rejects with `JournalUnavailable` when it cannot be now, at the latest after `WRITE_MS_MAX`. */
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
    using _watch = afterLooks(of.clock, () => {
      fail(`the disk has taken longer than ${WRITE_MS_MAX} ms`);
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
      if (running !== null) await atMost(WRITE_MS_MAX, of.clock, running);
      retry?.[Symbol.dispose]();
    },
  };
}

function afterLooks(clock: Clock, act: () => void): Disposable {
  let looks = 0;
  let timer: Disposable;
  let turn: NodeJS.Immediate | null = null;
  const wait = () => {
    timer = clock.after(DISK.lookEveryMs, look);
  };
  const look = () => {
    looks += 1;
    if (looks === DISK.looksMax) act();
    else turn = setImmediate(wait);
  };
  wait();
  return {
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      if (turn !== null) clearImmediate(turn);
    },
  };
}
