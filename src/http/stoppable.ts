/** What happens around the results of one WebSocket operation. */
interface Around<Result> {
  /** The client wants no more, or its socket is gone. */
  readonly stop: () => void;
  /** Once, after the last result, in whichever way it came to that: also when nobody ever asked for the first. */
  readonly ended: () => void;
  /** What the client is told when the results break off with an error. */
  readonly broken: (error: unknown) => Result;
}

/**
 * Results as a stream that can be stopped from outside at any moment. An async generator alone cannot: while it waits for its next
 * value, its `return` waits too. So the operation is told to stop first, which ends what the generator waits for.
 */
export function stoppable<Result>(
  results: () => Promise<AsyncIterable<Result> | Result>,
  around: Around<Result>,
): AsyncGenerator<Result, void, undefined> {
  const inner = walk(results, around);
  let hasBegun = false;
  /** A generator that nobody asked for anything has nothing to end: its `finally` does not run. */
  const endUnbegun = () => {
    if (hasBegun) return;
    hasBegun = true;
    around.ended();
  };
  return {
    next() {
      hasBegun = true;
      return inner.next();
    },
    async return() {
      around.stop();
      endUnbegun();
      return inner.return();
    },
    async throw(error) {
      around.stop();
      endUnbegun();
      return inner.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return();
    },
  };
}

async function* walk<Result>(
  results: () => Promise<AsyncIterable<Result> | Result>,
  around: Around<Result>,
): AsyncGenerator<Result, void, undefined> {
  try {
    const found = await results();
    if (isStream(found)) yield* found;
    else yield found;
  } catch (error) {
    yield around.broken(error);
  } finally {
    around.ended();
  }
}

function isStream<Result>(found: AsyncIterable<Result> | Result): found is AsyncIterable<Result> {
  return typeof found === 'object' && found !== null && Symbol.asyncIterator in found;
}
