import { setTimeout as sleep } from 'node:timers/promises';
import type { Wish } from './client.ts';
import { inBackground } from './load.ts';
import { makeStreamClient } from './stream-client.ts';
import { NOTHING_READ, type StreamEnd } from './stream-reader.ts';

/** Streams that are read all the time, each again from where it was after every break, as stock clients do. */
export interface StreamLoad extends AsyncDisposable {
  /** Those that have ended for good. */
  readonly ends: readonly StreamEnd[];
  /** How often one had to be asked for again. */
  readonly comebacks: number;
  /** Begins nothing new, and resolves when all have ended. */
  end(): Promise<void>;
}

const COME_BACK_MS = 50;
const COMEBACKS_MAX = 400;

export function openStreamLoad(of: {
  readonly readers: number;
  readonly urlFor: () => string | null;
  /** Told of each wish before it is sent. It must have an idempotency key. */
  readonly begin: (wish: Wish) => void;
  readonly wishAt: (sequence: number) => Wish;
}): StreamLoad {
  const client = makeStreamClient();
  const ends: StreamEnd[] = [];
  let sequence = 0;
  let comebacks = 0;
  const readOne = async (wish: Wish): Promise<StreamEnd> => {
    let end: StreamEnd = { ...NOTHING_READ, why: 'nobody was ready' };
    for (let tries = 0; tries < COMEBACKS_MAX; tries += 1) {
      const url = of.urlFor();
      if (url !== null) end = await client.read(url, wish, { from: end });
      if (end.kind !== 'broken' && end.kind !== 'refused') return end;
      comebacks += 1;
      await sleep(COME_BACK_MS);
    }
    return end;
  };
  const readers = Array.from({ length: of.readers }, () =>
    inBackground(async (isOver) => {
      while (!isOver()) {
        sequence += 1;
        const wish = of.wishAt(sequence);
        of.begin(wish);
        ends.push(await readOne(wish));
      }
    }),
  );
  const end = async () => void (await Promise.all(readers.map((reader) => reader.end())));
  return {
    ends,
    get comebacks() {
      return comebacks;
    },
    end,
    async [Symbol.asyncDispose]() {
      await end();
      await client[Symbol.asyncDispose]();
    },
  };
}
