import type { Meters } from '../ports/meters.ts';

export type SubscriberMeter = Pick<Meters, 'streamSubscribers'>;

/** Answers a function that counts each stream for as long as it is being told. */
export function makeSubscribers(meters: SubscriberMeter) {
  let count = 0;
  const change = (by: 1 | -1) => {
    count += by;
    meters.streamSubscribers.set(count);
  };
  return async function* watched<Result>(results: AsyncIterable<Result>): AsyncGenerator<Result, void> {
    change(1);
    try {
      yield* results;
    } finally {
      change(-1);
    }
  };
}
