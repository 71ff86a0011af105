import { type EpochMs, epochMs } from './time.ts';

/**
 * A rolling minute in buckets. Each counts until 601 buckets after it have begun: what is in it counts for more than 60 s and for at
 * most 60.1 s, so that no 60 s hold more than a limit that is kept by it.
 */
export const BUCKETS = { bucketMs: 100, countedMax: 601 } as const;

/** What was used within one tenth of a second. */
export interface Bucket {
  /** Tenths of a second since 1970. */
  readonly place: number;
  /** Above zero. */
  readonly amount: number;
}

/** What was used lately, the oldest first: at most one bucket for each tenth of a second. */
export type RollingBuckets = readonly Bucket[];

/** The place of the bucket that an instant falls into. */
export function placeAt(nowMs: EpochMs): number {
  return Math.floor(nowMs / BUCKETS.bucketMs);
}

/** When what is in a bucket counts no more. */
export function lapseOf(place: number): EpochMs {
  return epochMs((place + BUCKETS.countedMax) * BUCKETS.bucketMs);
}

/** The buckets that still count. */
export function countedAt(buckets: RollingBuckets, nowMs: EpochMs): RollingBuckets {
  const lapsed = placeAt(nowMs) - BUCKETS.countedMax;
  return buckets.filter(({ place }) => place > lapsed);
}

/** What is used now. */
export function usedAt(buckets: RollingBuckets, nowMs: EpochMs): number {
  return countedAt(buckets, nowMs).reduce((sum, { amount }) => sum + amount, 0);
}

/** The bucket with whose lapse no more than `room` is used. Null: no more than that is used now. */
export function placeInWay(buckets: RollingBuckets, room: number, nowMs: EpochMs): number | null {
  let sum = 0;
  for (const { place, amount } of countedAt(buckets, nowMs).toReversed()) {
    sum += amount;
    if (sum > room) return place;
  }
  return null;
}

/** The same with an amount used now, and without what counts no more. */
export function withUsed(buckets: RollingBuckets, amount: number, nowMs: EpochMs): RollingBuckets {
  return changed(countedAt(buckets, nowMs), placeAt(nowMs), amount);
}

/** The same with an amount that was not used after all: taken out of its bucket, as far as that still counts. */
export function withGivenBack(
  buckets: RollingBuckets,
  of: { readonly place: number; readonly amount: number },
  nowMs: EpochMs,
): RollingBuckets {
  const counted = countedAt(buckets, nowMs);
  const there = counted.find(({ place }) => place === of.place)?.amount ?? 0;
  return changed(counted, of.place, -Math.min(of.amount, there));
}

function changed(buckets: RollingBuckets, place: number, difference: number): RollingBuckets {
  const amount = (buckets.find((bucket) => bucket.place === place)?.amount ?? 0) + difference;
  const before = buckets.filter((bucket) => bucket.place < place);
  // Behind it there is something only if the clock was set back, or if it is an old one that is put right.
  const behind = buckets.filter((bucket) => bucket.place > place);
  return amount > 0 ? [...before, { place, amount }, ...behind] : [...before, ...behind];
}
