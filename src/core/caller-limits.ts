import type { CallerLimits } from './api-key.ts';
import type { ApiKeyId, RequestId } from './ids.ts';
import type { RateLimitState } from './outcome.ts';
import {
  countedAt,
  lapseOf,
  placeAt,
  placeInWay,
  type RollingBuckets,
  usedAt,
  withGivenBack,
  withUsed,
} from './rolling-buckets.ts';
import { type EpochMs, later } from './time.ts';

/**
 * `concurrencyRetryMs`: nobody knows when one of the requests under way ends, so this is a polite guess. `leaseGraceMs`: how much longer
 * than a request its place lasts; after that its replica is taken for dead.
 */
export const PLACE = { concurrencyRetryMs: 1_000, leaseGraceMs: 30_000 } as const;

/** A wish to use the service under limits: those of the key that came, counted for its whole line. */
export interface CallerWish {
  readonly line: ApiKeyId;
  readonly limits: CallerLimits;
  /** Input and output together, as estimated. Zero: only to see how the limits stand. */
  readonly tokens: number;
}

/** A wish to begin a request. */
export interface CallerEntry extends CallerWish {
  readonly requestId: RequestId;
  /** How long it is under way at most. From then on it is not, whatever became of it. */
  readonly leaseMs: number;
}

/** The end of a request that had entered. */
export interface CallerLeave {
  readonly line: ApiKeyId;
  readonly requestId: RequestId;
  /** What it used. */
  readonly tokens: number;
}

/** One rolling limit of a caller as it stood. `used` may be more than `limit`: tokens are known only at the end. */
export interface LimitStanding extends RateLimitState {
  /** When nothing of it is used any more, if nothing more is. Null: now. */
  readonly resetAtMs: EpochMs | null;
}

/** All limits of a caller at one instant of the store's clock. Null: no such limit. */
export interface CallerStanding {
  readonly nowMs: EpochMs;
  readonly requests: LimitStanding | null;
  readonly tokens: LimitStanding | null;
  readonly concurrency: { readonly limit: number; readonly used: number } | null;
}

/** What a caller is told of its limits beside an answer. Null: there is no such limit. */
export interface LimitsSeen {
  readonly requests: LimitSeen | null;
  readonly tokens: LimitSeen | null;
}

export interface LimitSeen {
  readonly limit: number;
  readonly remaining: number;
  /** Until nothing of it is used any more, if nothing more is. */
  readonly resetMs: number;
}

export const LIMITED_BY = ['requests', 'tokens', 'concurrency'] as const;

/** The limit that stands in the way; of several the one that does so longest. */
export type LimitedBy = (typeof LIMITED_BY)[number];

export type Entered = { readonly kind: 'entered'; readonly standing: CallerStanding } | Limited;

export interface Limited {
  readonly kind: 'limited';
  readonly which: LimitedBy;
  readonly standing: CallerStanding;
  /** Exact, as long as nobody else of the line comes first; of `concurrency` a guess. */
  readonly retryAfterMs: number;
}

/** A request under way. */
interface Place {
  /** The bucket that its tokens were counted in. */
  readonly bucket: number;
  readonly tokens: number;
  readonly leaseEndsAtMs: EpochMs;
}

/** What is told of limits some time after they were seen to stand so. */
export function seenAt({ nowMs, requests, tokens }: CallerStanding, sinceMs: number): LimitsSeen {
  const thenMs = nowMs + sinceMs;
  return { requests: limitSeenAt(requests, thenMs), tokens: limitSeenAt(tokens, thenMs) };
}

function limitSeenAt(standing: LimitStanding | null, nowMs: number): LimitSeen | null {
  if (standing === null) return null;
  const { limit, used, resetAtMs } = standing;
  return { limit, remaining: Math.max(0, limit - used), resetMs: Math.max(0, (resetAtMs ?? nowMs) - nowMs) };
}

/** What one line of keys has used lately. drizzle/0010_limits.sql says the same in tables. */
export interface LineUse {
  readonly requests: RollingBuckets;
  readonly tokens: RollingBuckets;
  readonly places: ReadonlyMap<RequestId, Place>;
}

export const UNUSED: LineUse = { requests: [], tokens: [], places: new Map() };

/** Whether the end of a request has anything to say to these limits. Otherwise it is not remembered that it is under way. */
export function hasPlace({ tokensPerMinute, concurrency }: CallerLimits): boolean {
  return tokensPerMinute !== null || concurrency !== null;
}

/** Whether a request may begin now, and how the limits stand. Changes nothing. */
export function answerTo(use: LineUse, wish: CallerWish, nowMs: EpochMs): Entered {
  const standing = standingOf(use, wish.limits, nowMs);
  const { requestsPerMinute, tokensPerMinute } = wish.limits;
  const requestsMs = untilRoom(use.requests, { limit: requestsPerMinute, wanted: 1 }, nowMs);
  const tokensMs = untilRoom(use.tokens, { limit: tokensPerMinute, wanted: wish.tokens }, nowMs);
  if (tokensMs > requestsMs) return { kind: 'limited', which: 'tokens', standing, retryAfterMs: tokensMs };
  if (requestsMs > 0) return { kind: 'limited', which: 'requests', standing, retryAfterMs: requestsMs };
  const { concurrency } = standing;
  return concurrency !== null && concurrency.used >= concurrency.limit
    ? { kind: 'limited', which: 'concurrency', standing, retryAfterMs: PLACE.concurrencyRetryMs }
    : { kind: 'entered', standing };
}

/** What is used once a request has begun. */
export function withEntry(use: LineUse, entry: CallerEntry, nowMs: EpochMs): LineUse {
  const requests = withUsed(use.requests, 1, nowMs);
  const open = openAt(use, nowMs);
  if (!hasPlace(entry.limits)) return { requests, tokens: countedAt(use.tokens, nowMs), places: new Map(open) };
  const place = { bucket: placeAt(nowMs), tokens: entry.tokens, leaseEndsAtMs: later(nowMs, entry.leaseMs) };
  return {
    requests,
    tokens: withUsed(use.tokens, entry.tokens, nowMs),
    places: new Map([...open, [entry.requestId, place]]),
  };
}

/**
 * What is used once it has ended. What was estimated too high is given back to the minute it was taken from; what it used beyond its
 * estimate counts from now on. Of a request that is not under way nothing is known any more: nothing changes.
 */
export function withLeave(use: LineUse, leave: CallerLeave, nowMs: EpochMs): LineUse {
  const place = use.places.get(leave.requestId);
  if (place === undefined) return use;
  const places = new Map(use.places);
  places.delete(leave.requestId);
  const more = leave.tokens - place.tokens;
  const tokens =
    more > 0
      ? withUsed(use.tokens, more, nowMs)
      : withGivenBack(use.tokens, { place: place.bucket, amount: -more }, nowMs);
  return { ...use, tokens, places };
}

/** Whether nothing of it counts any more. */
export function isForgotten(use: LineUse, nowMs: EpochMs): boolean {
  const counted = countedAt(use.requests, nowMs).length + countedAt(use.tokens, nowMs).length;
  return counted === 0 && openAt(use, nowMs).length === 0;
}

/** How the limits stand. */
function standingOf(use: LineUse, limits: CallerLimits, nowMs: EpochMs): CallerStanding {
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
  return {
    nowMs,
    requests: requestsPerMinute === null ? null : limitStandingOf(use.requests, requestsPerMinute, nowMs),
    tokens: tokensPerMinute === null ? null : limitStandingOf(use.tokens, tokensPerMinute, nowMs),
    concurrency: concurrency === null ? null : { limit: concurrency, used: openAt(use, nowMs).length },
  };
}

function limitStandingOf(buckets: RollingBuckets, limit: number, nowMs: EpochMs): LimitStanding {
  const freeAt = placeInWay(buckets, Math.max(limit - 1, 0), nowMs);
  const resetAt = placeInWay(buckets, 0, nowMs);
  return {
    limit,
    used: usedAt(buckets, nowMs),
    freeAtMs: freeAt === null ? null : lapseOf(freeAt),
    resetAtMs: resetAt === null ? null : lapseOf(resetAt),
  };
}

/** Until so much more can be used, in ms. Zero: now. What is more than the limit itself waits until nothing is used. */
function untilRoom(
  buckets: RollingBuckets,
  of: { readonly limit: number | null; readonly wanted: number },
  nowMs: EpochMs,
): number {
  if (of.limit === null || usedAt(buckets, nowMs) + of.wanted <= of.limit) return 0;
  const inWay = placeInWay(buckets, Math.max(of.limit - of.wanted, 0), nowMs) ?? placeAt(nowMs);
  return lapseOf(inWay) - nowMs;
}

function openAt(use: LineUse, nowMs: EpochMs) {
  return Array.from(use.places).filter(([, { leaseEndsAtMs }]) => leaseEndsAtMs > nowMs);
}
