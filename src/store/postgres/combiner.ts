import { StoreUnavailable } from '../../core/unavailable.ts';

/** Sends what many callers ask for at one moment in one call. */
export interface Combiner<Item, Answer> {
  /**
   * The answer to this item. Rejects as the call does that it went with, and with `StoreUnavailable`, unsent, when too many
   * wait already, or when `isWanted` (default: always) says at its turn that nobody waits for it any more.
   */
  ask(item: Item, isWanted?: () => boolean): Promise<Answer>;
}

/** Most items that wait for their call. More means that PostgreSQL does not keep up: whoever comes then is told at once. */
export const COMBINER = { waitingMax: 5_000 } as const;

interface Asked<Item, Answer> {
  readonly item: Item;
  readonly isWanted: () => boolean;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Calls go one after the other, first come first served, at most `itemsMax` items in each. Nothing waits for company: a
 * call takes whatever has come while the one before was under way. `send` answers each item, in the order given, and has
 * a deadline of its own: the next call starts only when it has ended.
 */
export function makeCombiner<Item, Answer>(options: {
  readonly itemsMax: number;
  send(items: readonly Item[]): Promise<readonly Answer[]>;
}): Combiner<Item, Answer> {
  let waiting: Asked<Item, Answer>[] = [];
  let isUnderWay = false;

  const start = () => {
    isUnderWay = true;
    // Not at once: callers whose sockets were ready in the same turn of the event loop, and those who were just answered
    // and ask again, go together.
    setImmediate(run);
  };
  const dropUnwanted = () => {
    const { wanted = [], unwanted = [] } = Object.groupBy(waiting, ({ isWanted }) =>
      isWanted() ? 'wanted' : 'unwanted',
    );
    waiting = wanted;
    for (const { reject } of unwanted) reject(new StoreUnavailable('nobody waits for it any more'));
  };
  const run = async () => {
    dropUnwanted();
    const together = waiting.splice(0, options.itemsMax);
    if (together.length > 0) await sendTogether(together, options.send);
    if (waiting.length > 0) start();
    else isUnderWay = false;
  };

  return {
    async ask(item, isWanted = () => true) {
      if (waiting.length >= COMBINER.waitingMax) {
        throw new StoreUnavailable(`${waiting.length} acts wait for PostgreSQL already`);
      }
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      waiting.push({ item, isWanted, resolve, reject });
      if (!isUnderWay) start();
      return promise;
    },
  };
}

/** Never rejects: each item is told by itself. */
async function sendTogether<Item, Answer>(
  asked: readonly Asked<Item, Answer>[],
  send: (items: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<void> {
  try {
    const answers = await send(asked.map(({ item }) => item));
    if (answers.length !== asked.length) {
      throw new RangeError(`${asked.length} items were sent together, ${answers.length} answers came back`);
    }
    // Not `answers[place]`, which may be undefined to the compiler: an answer that is undefined is an answer.
    answers.forEach((answer, place) => {
      asked[place]?.resolve(answer);
    });
  } catch (error) {
    for (const { reject } of asked) reject(error);
  }
}
