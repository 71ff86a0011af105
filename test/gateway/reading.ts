/** Longer than anything takes; only a test that fails waits for it. */
const WAIT_MS_MAX = 8_000;

/** Reads a stream step by step. */
export interface Reader<Item> {
  /** The next item. Rejects when none comes in time or the stream has ended. */
  next(): Promise<Item>;
  take(count: number): Promise<readonly Item[]>;
  /** Resolves when the stream has ended; rejects when another item comes first. */
  end(): Promise<void>;
}

export function read<Item>(items: AsyncIterable<Item>): Reader<Item> {
  const iterator = items[Symbol.asyncIterator]();
  const next = async () => {
    const step = await inTime(iterator.next());
    if (step.done === true) throw new RangeError('the stream has ended');
    return step.value;
  };
  return {
    next,
    async take(count) {
      const taken: Item[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    },
    async end() {
      const step = await inTime(iterator.next());
      if (step.done !== true) throw new RangeError(`another item came: ${JSON.stringify(step.value)}`);
    },
  };
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('nothing came in time')), WAIT_MS_MAX);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
