import { StoreUnavailable } from '../../core/unavailable.ts';

/** Sends what many callers ask for at one moment in one call. */
export interface Combiner<Item, Answer> {
  /**
   * The answer to this item. Rejects as the last call does that it went with, and with `StoreUnavailable`, unsent, when too
   * many wait already, or when `isWanted` (default: always) says at its turn that nobody waits for it any more.
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

export interface CombinerOptions<Item, Answer> {
  readonly itemsMax: number;
  /** Answers each item, in the order given, and has a deadline of its own: the next call starts only when it has ended. */
  send(items: readonly Item[]): Promise<readonly Answer[]>;
  /** Whether a call that failed like this left nothing done, and failed by what was in it: then its items may go again, apart. */
  isUndone(error: unknown): boolean;
}

/**
 * Calls go one after the other, first come first served, at most `itemsMax` items in each. Nothing waits for company: a
 * call takes whatever has come while the one before was under way. When one fails by what was in it, its halves go by
 * themselves, and so on: a broken item is found in few calls, and costs no other its answer.
 */
export function makeCombiner<Item, Answer>(options: CombinerOptions<Item, Answer>): Combiner<Item, Answer> {
  let waiting: Asked<Item, Answer>[] = [];
  let isUnderWay = false;

  const start = () => {
    isUnderWay = true;
    // Not at once: callers whose sockets were ready in the same turn of the event loop, and those who were just answered
    // and ask again, go together.
    setImmediate(run);
  };
  const run = async () => {
    waiting = withoutUnwanted(waiting);
    await sendTogether(waiting.splice(0, options.itemsMax), options);
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

/** Those who gave up are told so. */
function withoutUnwanted<Item, Answer>(asked: readonly Asked<Item, Answer>[]): Asked<Item, Answer>[] {
  const { wanted = [], unwanted = [] } = Object.groupBy(asked, ({ isWanted }) => (isWanted() ? 'wanted' : 'unwanted'));
  for (const { reject } of unwanted) reject(new StoreUnavailable('nobody waits for it any more'));
  return wanted;
}

/** Never rejects: each item is told by itself. Answers what failed in a way that makes it useless to send more; null when nothing did. */
async function sendTogether<Item, Answer>(
  asked: readonly Asked<Item, Answer>[],
  options: CombinerOptions<Item, Answer>,
): Promise<{ readonly error: unknown } | null> {
  if (asked.length === 0) return null;
  try {
    const answers = await options.send(asked.map(({ item }) => item));
    if (answers.length !== asked.length) {
      throw new RangeError(`${asked.length} items were sent together, ${answers.length} answers came back`);
    }
    // Not `answers[place]`, which may be undefined to the compiler: an answer that is undefined is an answer.
    answers.forEach((answer, place) => {
      asked[place]?.resolve(answer);
    });
    return null;
  } catch (error) {
    const isUndone = options.isUndone(error);
    if (isUndone && asked.length > 1) return sendApart(asked, options);
    for (const { reject } of asked) reject(error);
    return isUndone ? null : { error };
  }
}

async function sendApart<Item, Answer>(
  asked: readonly Asked<Item, Answer>[],
  options: CombinerOptions<Item, Answer>,
): Promise<{ readonly error: unknown } | null> {
  const middle = Math.ceil(asked.length / 2);
  const end = await sendTogether(withoutUnwanted(asked.slice(0, middle)), options);
  const rest = withoutUnwanted(asked.slice(middle));
  if (end === null) return sendTogether(rest, options);
  for (const { reject } of rest) reject(end.error);
  return end;
}
