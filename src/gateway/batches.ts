/** Asks for many things in few questions: one question at a time, and what comes meanwhile waits for the next one. */
export function makeBatches<Key, Answer>(of: {
  readonly ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Answer>>;
  /** The most that one question asks for. */
  readonly batchMax: number;
  /** The most that may wait. */
  readonly waitingMax: number;
  /** What those are told for whom there is no room. */
  readonly makeFullError: () => Error;
}): (key: Key) => Promise<Answer> {
  const waiting = new Map<Key, PromiseWithResolvers<Answer>>();
  let isAsking = false;

  const askAll = async () => {
    while (waiting.size > 0) {
      const batch = new Map(waiting.entries().take(of.batchMax));
      for (const key of batch.keys()) waiting.delete(key);
      try {
        const answers = await of.ask([...batch.keys()]);
        for (const [key, { resolve, reject }] of batch) {
          const answer = answers.get(key);
          if (answer === undefined) reject(new RangeError('a question was left without an answer'));
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of batch.values()) reject(error);
      }
    }
    isAsking = false;
  };

  return (key) => {
    const same = waiting.get(key);
    if (same !== undefined) return same.promise;
    if (waiting.size >= of.waitingMax) return Promise.reject(of.makeFullError());
    const wait = Promise.withResolvers<Answer>();
    waiting.set(key, wait);
    if (!isAsking) {
      isAsking = true;
      void askAll();
    }
    return wait.promise;
  };
}
